"""Measuring energy on fake devices whose power is known: trees of files, and commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeocr.device import power, readings
from edgeocr.device.power import PowerMeter, energy, parse_pmic, parse_tegrastats
from tests.support.machines import command, tree

TEGRASTATS = (
    "01-22-2025 10:13:01 RAM 2459/7620MB (lfb 34x4MB) SWAP 0/3810MB (cached 0MB) CPU [2%@1510,0%@"
    "1510,off,off,0%@729,0%@729] GR3D_FREQ 0% cpu@47.281C soc2@46.5C tj@47.281C "
    "VDD_IN 4060mW/4080mW VDD_CPU_GPU_CV 607mW/617mW VDD_SOC 1100mW/1101mW"
)
OLD_TEGRASTATS = (
    "RAM 1523/3964MB (lfb 3x2MB) SWAP 0/1982MB (cached 0MB) CPU [24%@1479,7%@1479] EMC_FREQ 0% "
    "PLL@27C CPU@29.5C PMIC@100C thermal@28.75C POM_5V_IN 2532/2466 POM_5V_GPU 82/40 "
    "POM_5V_CPU 735/695"
)
PMIC = """\
 3V7_WL_SW_A current(0)=0.00780744A
   3V3_SYS_A current(1)=0.12000000A
  VDD_CORE_A current(7)=2.00000000A
   3V3_SYS_V volt(9)=3.30000000V
  VDD_CORE_V volt(15)=0.80000000V
     EXT5V_V volt(24)=5.09066000V
      BATT_V volt(25)=nanV
"""


pytestmark = pytest.mark.usefixtures("commands")


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    yield
    assert "edgeocr-power" not in {thread.name for thread in threading.enumerate()}


def package(number: int, microjoules: int, name: str = "package") -> dict[str, str]:
    zone = f"sys/class/powercap/intel-rapl:{number}"
    return {
        f"{zone}/name": f"{name}-{number}\n",
        f"{zone}/energy_uj": f"{microjoules}\n",
        f"{zone}/max_energy_range_uj": "262143328850\n",
    }


def channels(chip: str, *rails: tuple[str, int, int]) -> dict[str, str]:
    """Return the files of an ina3221 as hwmon shows it: label, mV and mA of each channel."""
    folder = f"sys/bus/i2c/drivers/ina3221/{chip}/hwmon/hwmon1"
    files = {f"{folder}/name": "ina3221\n", f"{folder}/in7_label": "sum of shunt voltages\n"}
    for i, (label, millivolts, milliamperes) in enumerate(rails, 1):
        files[f"{folder}/in{i}_label"] = f"{label}\n"
        files[f"{folder}/in{i}_input"] = f"{millivolts}\n"
        files[f"{folder}/curr{i}_input"] = f"{milliamperes}\n"
    return files


def measure(root: Path, watts: float) -> str | None:
    """Measure a device with constant power, check the joules, and return the source."""
    before = time.perf_counter()
    with PowerMeter(root) as meter:
        begin = time.perf_counter()
        assert meter.joules is None
        time.sleep(0.3)
        end = time.perf_counter()
    after = time.perf_counter()
    assert meter.joules is not None
    assert (end - begin) * watts * 0.999 < meter.joules < (after - before) * watts * 1.001
    return meter.source


def test_a_device_without_a_meter_has_no_joules(tmp_path: Path) -> None:
    with PowerMeter(tmp_path) as meter:
        pass
    assert meter.joules is None and meter.source is None


def test_this_machine_has_joules_if_it_has_a_meter() -> None:
    with PowerMeter() as meter:
        sum(range(1000))
    assert (meter.source is None) == (meter.joules is None)


def test_rapl_adds_up_packages_alone(tmp_path: Path) -> None:
    files = package(0, 5_000_000) | package(1, 262_143_000_000)
    # Counters of the whole platform, and of the cores, which are part of a package, don't count.
    files |= package(2, 0, name="psys")
    files["sys/class/powercap/intel-rapl:0:0/name"] = "core\n"
    files["sys/class/powercap/intel-rapl:0:0/energy_uj"] = "1\n"
    root = tree(tmp_path, files)
    with PowerMeter(root) as meter:
        # The second counter starts again at zero in between.
        tree(root, package(0, 7_500_000) | package(1, 671_150) | package(2, 9_000_000, "psys"))
    assert meter.source == "rapl package-0+package-1"
    assert meter.joules == pytest.approx(2.5 + 1.0)


def test_rapl_that_only_root_may_read_is_not_used(tmp_path: Path) -> None:
    root = tree(tmp_path, package(0, 5) | package(1, 5))
    (root / "sys/class/powercap/intel-rapl:1/energy_uj").unlink()
    with PowerMeter(root) as meter:
        pass
    assert meter.source is None


def test_a_meter_can_be_entered_again(tmp_path: Path) -> None:
    root = tree(tmp_path, package(0, 1_000_000))
    meter = PowerMeter(root)
    for _ in range(2):
        with meter:
            pass
        assert meter.joules == 0
    (root / "sys/class/powercap/intel-rapl:0/name").unlink()
    with meter:
        pass
    assert meter.joules is None and meter.source is None


def test_a_jetson_orin_nano_is_measured_by_its_input_rail(tmp_path: Path) -> None:
    rails = ("VDD_IN", 5000, 800), ("VDD_CPU_GPU_CV", 5000, 120), ("VDD_SOC", 5000, 220)
    assert measure(tree(tmp_path, channels("1-0040", *rails)), 4) == "ina3221 VDD_IN"


def test_a_jetson_agx_orin_is_measured_by_the_sum_of_its_rails(tmp_path: Path) -> None:
    rails = ("VDD_GPU_SOC", 19000, 200), ("VDD_CPU_CV", 19000, 100), ("VIN_SYS_5V0", 5000, 900)
    files = channels("1-0040", *rails)
    files |= channels("1-0041", ("NC", 0, 0), ("VDDQ_VDD2_1V8AO", 19000, 50), ("NC", 0, 0))
    assert (
        measure(tree(tmp_path, files), 3.8 + 1.9 + 4.5)
        == "ina3221 VDD_GPU_SOC+VDD_CPU_CV+VIN_SYS_5V0"
    )


def test_a_jetson_nano_with_jetpack_4_is_measured(tmp_path: Path) -> None:
    folder = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    files = {}
    for i, (name, milliwatts) in enumerate((("POM_5V_IN", 2532), ("POM_5V_GPU", 82))):
        files[f"{folder}/rail_name_{i}"] = f"{name}\n"
        files[f"{folder}/in_power{i}_input"] = f"{milliwatts}\n"
    assert measure(tree(tmp_path, files), 2.532) == "ina3221 POM_5V_IN"


def test_changing_power_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """5 W, then 15 W for at least two samples, then 5 W again."""
    read_number = readings.read_number
    files_read: list[Path] = []

    def counted(path: Path) -> int | None:
        files_read.append(path)
        return read_number(path)

    monkeypatch.setattr(power, "read_number", counted)
    root = tree(tmp_path, channels("1-0040", ("VDD_IN", 5000, 1000)))
    before = time.perf_counter()
    with PowerMeter(root) as meter:
        begin = time.perf_counter()
        tree(root, channels("1-0040", ("VDD_IN", 5000, 3000)))
        # A sample reads two files, and one may be under way: six files hold two complete samples.
        enough, deadline = len(files_read) + 6, begin + 60
        while len(files_read) < enough and time.perf_counter() < deadline:
            time.sleep(0.01)
        tree(root, channels("1-0040", ("VDD_IN", 5000, 1000)))
        end = time.perf_counter()
    after = time.perf_counter()
    assert meter.joules is not None
    # Between the two samples, one period apart, there are 10 W more.
    more = 10 * power.INA3221_PERIOD
    assert 5 * (end - begin) + 0.9 * more < meter.joules < 15 * (after - before)


def test_rails_that_are_a_part_of_the_device_are_not_used(tmp_path: Path) -> None:
    root = tree(tmp_path, channels("1-0040", ("VDD_GPU_SOC", 19000, 200)))
    with PowerMeter(root) as meter:
        pass
    assert meter.source is None


def test_rails_are_parsed_from_tegrastats() -> None:
    rails = parse_tegrastats(TEGRASTATS)
    assert rails["VDD_IN"] == 4.06 and rails["VDD_SOC"] == 1.1
    assert parse_tegrastats(OLD_TEGRASTATS)["POM_5V_IN"] == 2.532
    assert parse_tegrastats("") == {}


def test_tegrastats_is_used_where_there_are_no_files(tmp_path: Path, commands: Path) -> None:
    script = (
        f'test "$1" = --interval || exit 1\nwhile true; do echo "{TEGRASTATS}"; sleep 0.1; done'
    )
    command(commands, "tegrastats", script)
    assert measure(tmp_path, 4.06) == "tegrastats VDD_IN"


@pytest.mark.parametrize("script", ["exit 1", "exec sleep 20", "echo Cannot open file"])
def test_a_silent_tegrastats_is_not_used(
    tmp_path: Path, commands: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(power, "PATIENCE", 0.2)
    command(commands, "tegrastats", script)
    with PowerMeter(tmp_path) as meter:
        pass
    assert meter.source is None and meter.joules is None


def test_a_tegrastats_that_ends_early_gives_no_joules(tmp_path: Path, commands: Path) -> None:
    command(commands, "tegrastats", f'echo "{TEGRASTATS}"')
    with PowerMeter(tmp_path) as meter:
        time.sleep(0.1)
    assert meter.source == "tegrastats VDD_IN"
    assert meter.joules is None  # a single sample is not enough


def test_rails_are_parsed_from_pmic_read_adc() -> None:
    assert parse_pmic(PMIC) == pytest.approx({"3V3_SYS": 0.396, "VDD_CORE": 1.6})
    assert parse_pmic("Command not registered\n") == {}


def test_a_raspberry_pi_5_is_measured(
    tmp_path: Path, commands: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "PMIC_PERIOD", 0.05)
    command(commands, "vcgencmd", f'test "$1" = pmic_read_adc || exit 1\ncat <<EOF\n{PMIC}EOF')
    assert measure(tmp_path, 1.996) == "pmic, 2 rails"


def test_raspberry_pi_4_has_no_meter(tmp_path: Path, commands: Path) -> None:
    command(commands, "vcgencmd", 'echo "error=1 error_msg=\\"Command not registered\\""')
    with PowerMeter(tmp_path) as meter:
        pass
    assert meter.source is None


def test_energy_is_the_integral_of_power() -> None:
    assert energy([(0, 2), (1, 4), (3, 4)]) == 3 + 8
    assert energy([(0, 2), (2, 4)]) == 6
    assert energy([(0, 2)]) is None and energy([]) is None
