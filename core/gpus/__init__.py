"""NVIDIA GPUs of this machine: which are free, which may be used, and which one this process takes."""
