"""`tui mcp`: tools for agents, thin calls to what commands do; and `tui agents`, by which the user looks after them."""
