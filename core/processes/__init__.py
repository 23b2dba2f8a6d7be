"""Several processes of this machine that train one run: started, watched, started again after one was lost."""
