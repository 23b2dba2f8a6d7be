"""What commands do with a run, as dialogs: report, export, predict, cross-validate, train with other seeds."""
