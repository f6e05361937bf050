"""Many named sources in, one document out: what `edgeocr read` and the service share."""
