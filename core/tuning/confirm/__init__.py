"""The best trials of a study trained again with other seeds, and the winner among them."""
