"""Brings the database DATABASE_URL to a revision of Open WebUI's schema, as the application does."""

import sys
from pathlib import Path

import open_webui
from alembic import command
from alembic.config import Config

package = Path(open_webui.__file__).parent
config = Config(package / "alembic.ini")
config.set_main_option("script_location", str(package / "migrations"))
command.upgrade(config, sys.argv[1])
