"""Read and change programs in Paddle's two formats, legacy and PIR, without Paddle."""
