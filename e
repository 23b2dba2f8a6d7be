/dev/fd/3: line 84: tune: command not found
