"""Small programs for Paddle 3, one operator or a few each; `make_pir_operators` exports them."""
