#!/usr/bin/python3
"""Signs a person in with requests-oauthlib (authorization code with PKCE), refreshes, and revokes.

For a public client, such as a program on somebody's machine. No token is printed.
"""

import argparse
import json
from urllib.parse import parse_qs, urlsplit

import requests
from oauthlib.oauth2 import WebApplicationClient
from requests_oauthlib import OAuth2Session

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--issuer", default="http://localhost:8080")
parser.add_argument("--client-id", required=True)
parser.add_argument("--redirect-uri", required=True, help="one that the client has registered")
parser.add_argument("--scope", default="openid profile offline_access")
options = parser.parse_args()

server = requests.get(f"{options.issuer}/.well-known/openid-configuration", timeout=10).json()
client = WebApplicationClient(options.client_id)
verifier = client.create_code_verifier(64)
session = OAuth2Session(client=client, redirect_uri=options.redirect_uri, scope=options.scope.split())
url, state = session.authorization_url(
    server["authorization_endpoint"],
    code_challenge=client.create_code_challenge(verifier, "S256"),
    code_challenge_method="S256",
)
print(f"Open this in a browser:\n{url}\nThen enter the address that it comes to:", flush=True)
answer = input()

# RFC 9207: the answer is of the server that was asked. The library compares state by itself.
if parse_qs(urlsplit(answer).query).get("iss") != [server["issuer"]]:
    raise SystemExit("this answer is of another server")
session.fetch_token(
    server["token_endpoint"], authorization_response=answer, code_verifier=verifier, include_client_id=True, timeout=10
)
person = session.get(server["userinfo_endpoint"], timeout=10)
person.raise_for_status()
print(json.dumps({"signed_in": person.json(), "scope": " ".join(session.token["scope"])}))

first = session.token["refresh_token"]
session.refresh_token(server["token_endpoint"], client_id=options.client_id, timeout=10)
again = session.get(server["userinfo_endpoint"], timeout=10)
print(json.dumps({"refreshed": again.ok, "rotated": session.token["refresh_token"] != first}))

# RFC 7009: with the refresh token everything ends that came of this sign-in.
revocation, headers, body = client.prepare_token_revocation_request(
    server["revocation_endpoint"], session.token["refresh_token"], "refresh_token", client_id=options.client_id
)
requests.post(revocation, headers=headers, data=body, timeout=10).raise_for_status()
print(json.dumps({"status_after_revocation": session.get(server["userinfo_endpoint"], timeout=10).status_code}))
