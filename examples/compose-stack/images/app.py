#!/usr/bin/python3
"""A small web application: each note goes to PostgreSQL, each visit is counted in Redis.

POST /notes   keeps the body, and answers {"id", "host"} once it is committed
GET  /notes   ids of all notes
GET  /visit   {"host", "visits"}: this container, and how many visits there were through all of them
GET  /health  200 when both stores answer
"""
import json
import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import redis

HOST = socket.gethostname()
with open(os.environ["DATABASE_PASSWORD_FILE"], encoding="utf-8") as file:
    PASSWORD = file.read().strip()


def database():
    return psycopg2.connect(
        host=os.environ["DATABASE_HOST"], user="notes", dbname="notes", password=PASSWORD, connect_timeout=3
    )


VISITS = redis.Redis(host=os.environ["REDIS_HOST"], socket_connect_timeout=3, socket_timeout=3)


def query(statement, *values):
    # A connection per request: a database that was away is found again without any care here.
    connection = database()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()
    finally:
        connection.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        text = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def route(self, method):
        try:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if (method, self.path) == ("POST", "/notes"):
                [[note]] = query("INSERT INTO notes (text) VALUES (%s) RETURNING id", body.decode())
                self.answer(201, {"id": note, "host": HOST})
            elif (method, self.path) == ("GET", "/notes"):
                self.answer(200, [row[0] for row in query("SELECT id FROM notes ORDER BY id")])
            elif (method, self.path) == ("GET", "/visit"):
                self.answer(200, {"host": HOST, "visits": VISITS.incr("visits")})
            elif (method, self.path) == ("GET", "/health"):
                query("SELECT 1")
                VISITS.ping()
                self.answer(200, {"host": HOST})
            else:
                self.answer(404, {"error": f"no {method} {self.path}"})
        except Exception as error:  # What failed is told to whoever asked.
            print(f"{method} {self.path}: {error}", file=sys.stderr, flush=True)
            self.answer(503, {"error": str(error)})

    def do_GET(self):
        self.route("GET")

    def do_POST(self):
        self.route("POST")

    def log_message(self, format, *arguments):
        pass


def migrate():
    connection = database()
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS notes (id BIGSERIAL PRIMARY KEY, text TEXT NOT NULL)")
    connection.close()
    print("the table is there", flush=True)


if sys.argv[1:] == ["migrate"]:
    migrate()
else:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print(f"serving on {HOST}", flush=True)
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()
