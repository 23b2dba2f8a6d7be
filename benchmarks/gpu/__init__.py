"""What only a GPU can show: waits, graphs, precisions, other libraries, several GPUs."""
