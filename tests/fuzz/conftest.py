"""The settings of Hypothesis: the same examples in each run, and few of them.

`pytest tests/fuzz --hypothesis-profile=thorough` tries many new ones.
"""

from hypothesis import HealthCheck, settings

SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "repeatable",
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=SLOW_IS_FINE,
)
settings.register_profile(
    "thorough", max_examples=3000, deadline=None, database=None, suppress_health_check=SLOW_IS_FINE
)


def pytest_configure(config) -> None:
    """Use the repeatable examples, unless the command line names a profile."""
    if not config.getoption("--hypothesis-profile", None):
        settings.load_profile("repeatable")
