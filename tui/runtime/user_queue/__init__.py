"""The queue of a user on one machine: commands that wait for a free device, and the process that starts them."""
