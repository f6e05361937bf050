"""Reading within a memory limit that the caller sets.

Memory goes to three things: code and weights, which are measured after opening; the networks' runs,
which share one arena; and the picture that is being read. What the limit leaves after opening is
divided between runs and pictures once, so that a result does not depend on what was read before.
Runs and pictures wait until there is room for them; what can never have room is an error.
"""
