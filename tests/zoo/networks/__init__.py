"""The networks in Paddle's API; `NETWORKS` of each module are what `tests.zoo.export` exports."""
