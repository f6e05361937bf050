"""`edgeocr doctor`: the facts that a bug report needs, and what follows from them."""
