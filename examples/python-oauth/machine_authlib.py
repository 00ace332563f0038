#!/usr/bin/python3
"""Gets a token for a program itself (client credentials) with Authlib, and calls an API with it.

The client's secret comes from the environment (COUNTERSIGN_CLIENT_SECRET): arguments are seen by everybody.
"""

import argparse
import os

import requests
from authlib.integrations.requests_client import OAuth2Session

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--issuer", default="http://localhost:8080")
parser.add_argument("--client-id", required=True)
parser.add_argument("--scope", default="read:reports")
parser.add_argument("url", help="what to call")
options = parser.parse_args()

server = requests.get(f"{options.issuer}/.well-known/oauth-authorization-server", timeout=10).json()
session = OAuth2Session(
    options.client_id, os.environ["COUNTERSIGN_CLIENT_SECRET"], scope=options.scope, default_timeout=10
)
session.fetch_token(server["token_endpoint"], grant_type="client_credentials")
response = session.get(options.url)
print(response.status_code, response.text)
