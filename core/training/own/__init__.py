"""A network's own training step: the task ``custom``; see `core.models.own_step` for what a network defines."""
