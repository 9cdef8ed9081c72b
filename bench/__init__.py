"""Speed, CPU and memory of Loa beside stock Rasa, on this machine, in one run: `python -m bench.run`."""
