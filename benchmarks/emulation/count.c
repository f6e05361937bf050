/* A TCG plugin of QEMU that counts the instructions of an aarch64 process under user emulation.
 *
 * At each system call getppid, and with times=1 at each clock_gettime of the real-time clock, it
 * adds a row to the file that out= names: the call's number, the time of day in microseconds, and
 * the counts of all threads so far. These are all instructions, those on SIMD and floating-point
 * registers, loads and stores, and dot products (SDOT and UDOT).
 *
 * The declarations are the part of QEMU's qemu-plugin.h that is needed here, because Debian has no
 * package with that header.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t qemu_plugin_id_t;
typedef uint64_t argument;
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_tb_trans_cb(
    qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(
    struct qemu_plugin_tb *, void (*)(unsigned, void *), int flags, void *);
void qemu_plugin_register_vcpu_syscall_cb(
    qemu_plugin_id_t, void (*)(qemu_plugin_id_t, unsigned, int64_t, argument, argument, argument,
                               argument, argument, argument, argument, argument));

int qemu_plugin_version = 1;

enum { CLOCK_GETTIME = 113, GETPPID = 173, THREADS = 256, NO_REGISTERS = 0 };
typedef struct { uint64_t all, simd, memory, dot; } counts;
/* A cache line for each thread, so that threads don't slow each other down. */
static struct { _Alignas(64) counts so_far; } executed_by[THREADS];
static FILE *out;
static bool times;

static void executed(unsigned thread, void *block)
{
    counts *sum = &executed_by[thread % THREADS].so_far;
    const counts *more = block;
    sum->all += more->all;
    sum->simd += more->simd;
    sum->memory += more->memory;
    sum->dot += more->dot;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    counts *block = calloc(1, sizeof *block); /* is read until the process ends */
    block->all = qemu_plugin_tb_n_insns(tb);
    for (size_t i = 0; i < block->all; i++) {
        uint32_t word;
        memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), sizeof word);
        block->simd += (word & 0x0e000000) == 0x0e000000;
        block->memory += (word & 0x0a000000) == 0x08000000;
        block->dot += (word & 0x9f20fc00) == 0x0e009400     /* by vector */
                   || (word & 0x9f00f400) == 0x0f00e000;    /* by element */
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, NO_REGISTERS, block);
}

static void called(qemu_plugin_id_t id, unsigned thread, int64_t number, argument first, argument b,
                   argument c, argument d, argument e, argument f, argument g, argument h)
{
    bool clock = times && number == CLOCK_GETTIME && first == CLOCK_REALTIME;
    if (number != GETPPID && !clock)
        return;
    counts sum = {0};
    for (int i = 0; i < THREADS; i++) {
        sum.all += executed_by[i].so_far.all;
        sum.simd += executed_by[i].so_far.simd;
        sum.memory += executed_by[i].so_far.memory;
        sum.dot += executed_by[i].so_far.dot;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    fprintf(out, "%" PRId64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
            number, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, sum.all, sum.simd,
            sum.memory, sum.dot);
    fflush(out);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "out=", 4))
            out = fopen(argv[i] + 4, "w");
        times |= !strcmp(argv[i], "times=1");
    }
    if (!out)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
