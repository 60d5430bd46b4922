"""Run the command line with ``python -m regraft``."""

from regraft.interface.cli.main import app

if __name__ == "__main__":
    app(prog_name="regraft")
