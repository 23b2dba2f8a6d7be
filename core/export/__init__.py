"""Trained models for other tools: the network with its preprocessing and its class names in one piece."""
