"""The command line: one command a file, see `geminga.cli.main`."""
