"""The service's login as it evidently runs: Django REST framework with django-rest-knox. See README.md."""

import argparse
import logging
import os
import signal
import tempfile
import threading
from pathlib import Path

import django
import waitress
from django.conf import settings

ENDS = {signal.SIGTERM, signal.SIGINT}


def main():
    options = parse_arguments()
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    temporary = None if options.keep else tempfile.TemporaryDirectory(prefix="knox-", ignore_cleanup_errors=True)
    threading.Thread(target=end_on_signal, args=(temporary,), daemon=True).start()
    directory = options.keep or Path(temporary.name)
    directory.mkdir(parents=True, exist_ok=True)
    configure(directory / "db.sqlite3", options.slow_hasher)
    seed()
    serve(options, directory / "port")


def end_on_signal(temporary):
    # A thread of its own: a handler would wait for waitress to wake, and waitress for logins that are made slow.
    signal.sigwait(ENDS)
    if temporary:
        temporary.cleanup()
    os._exit(0)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--url-file", type=Path, help="gets the URL once the server listens")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="the same tokens and port at the next start")
    parser.add_argument("--slow-hasher", action="store_true", help="Django's default password hasher instead of MD5")
    return parser.parse_args()


def configure(database, slow_hasher):
    apps = ("auth", "contenttypes", "knox", "service")
    hasher = "PBKDF2PasswordHasher" if slow_hasher else "MD5PasswordHasher"
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": database,
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "timeout": 60,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF",
                },
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "knox", "service"],
        KNOX_TOKEN_MODEL="service.AuthToken",
        LOGGING_CONFIG=None,
        MIDDLEWARE=["django.middleware.locale.LocaleMiddleware", "django.middleware.common.CommonMiddleware"],
        MIGRATION_MODULES=dict.fromkeys(apps),
        PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{hasher}"],
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": ["knox.auth.TokenAuthentication"],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        },
        ROOT_URLCONF="service.urls",
        SECRET_KEY="for tests only",
        TIME_ZONE="UTC",
    )
    django.setup()

    from service.views import Fault

    # Only what nobody asked for deserves a line: a bug in this server.
    requests = logging.getLogger("django.request")
    requests.setLevel(logging.ERROR)
    requests.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], Fault)))
    logging.getLogger("waitress").setLevel(logging.ERROR)


def seed():
    from django.core.management import call_command
    from service.models import Organization

    call_command("migrate", run_syncdb=True, verbosity=0)
    hari = {"username": "hari@example.com", "password": "welcome"}
    for uuid, name in {"auhf2k": "Hari's Academy", "zq7m3x": "Lakeside School"}.items():
        if not Organization.objects.filter(uuid=uuid).exists():
            Organization.objects.found(uuid=uuid, name=name, **hari)


def publish(file, text):
    """Whole or not at all: a process that waits for the file finds the text in it."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    unfinished.write_text(text)
    unfinished.replace(file)


def listen(port):
    from django.core.wsgi import get_wsgi_application

    return waitress.create_server(
        get_wsgi_application(),
        host="127.0.0.1",
        port=port,
        threads=256,
        connection_limit=2000,
        asyncore_use_poll=True,
    )


def serve(options, port_file):
    port = options.port or (int(port_file.read_text()) if port_file.exists() else 0)
    try:
        server = listen(port)
    except OSError:
        if options.port:
            raise
        # Somebody else has taken the last one's port meanwhile.
        server = listen(0)
    publish(port_file, str(server.effective_port))
    url = f"http://127.0.0.1:{server.effective_port}"
    if options.url_file:
        publish(options.url_file, url)
    print("listening on", url, flush=True)
    server.run()


if __name__ == "__main__":
    main()
