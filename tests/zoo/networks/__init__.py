"""The networks in Paddle's API. `tests.zoo.export` exports those in each module's `NETWORKS`."""
