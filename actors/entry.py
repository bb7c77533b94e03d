"""Where the `sandpit` command begins: nothing is loaded yet, and nothing has been started."""

from actors.ctrl_c import ends_at_once


def main() -> None:
    """Run the command."""
    with ends_at_once():
        from actors.cli import app
        from actors.standard_output import output_or_exit
    with output_or_exit():
        app()


if __name__ == "__main__":
    main()
