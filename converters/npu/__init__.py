"""Graphs for the compilers of NPUs: fixed shapes, and operators that their documentation lists."""
