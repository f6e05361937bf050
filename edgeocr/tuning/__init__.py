"""Find out which way of running a bundle is right and the fastest on this device."""
