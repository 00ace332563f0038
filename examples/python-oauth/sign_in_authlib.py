#!/usr/bin/python3
"""Signs a person in with Authlib (OpenID Connect: code with PKCE and a checked ID token), refreshes, and revokes.

For a public client, such as a program on somebody's machine. No token is printed.
"""

import argparse
import json
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--issuer", default="http://localhost:8080")
parser.add_argument("--client-id", required=True)
parser.add_argument("--redirect-uri", required=True, help="one that the client has registered")
parser.add_argument("--scope", default="openid profile offline_access")
options = parser.parse_args()

server = requests.get(f"{options.issuer}/.well-known/openid-configuration", timeout=10).json()
session = OAuth2Session(
    options.client_id,
    redirect_uri=options.redirect_uri,
    scope=options.scope,
    code_challenge_method="S256",
    default_timeout=10,
)
verifier, nonce = generate_token(64), generate_token(32)
url, state = session.create_authorization_url(
    server["authorization_endpoint"], code_verifier=verifier, nonce=nonce
)
print(f"Open this in a browser:\n{url}\nThen enter the address that it comes to:", flush=True)
answer = input()

# RFC 9207: the answer is of the server that was asked. The library compares state, if it is given.
if parse_qs(urlsplit(answer).query).get("iss") != [server["issuer"]]:
    raise SystemExit("this answer is of another server")
session.fetch_token(
    server["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier
)
keys = JsonWebKey.import_key_set(requests.get(server["jwks_uri"], timeout=10).json())
claims = JsonWebToken(["RS256", "ES256"]).decode(
    session.token["id_token"],
    keys,
    claims_cls=CodeIDToken,
    claims_options={
        "iss": {"essential": True, "value": server["issuer"]},
        "aud": {"essential": True, "value": options.client_id},
    },
    claims_params={"nonce": nonce, "client_id": options.client_id, "access_token": session.token["access_token"]},
)
claims.validate(leeway=30)
person = session.get(server["userinfo_endpoint"])
person.raise_for_status()
if person.json()["sub"] != claims["sub"]:
    raise SystemExit("userinfo is about somebody else")
print(json.dumps({"signed_in": person.json(), "scope": session.token["scope"]}))

first = session.token["refresh_token"]
session.refresh_token(server["token_endpoint"])
again = session.get(server["userinfo_endpoint"])
print(json.dumps({"refreshed": again.ok, "rotated": session.token["refresh_token"] != first}))

# RFC 7009: with the refresh token everything ends that came of this sign-in.
session.revoke_token(
    server["revocation_endpoint"], session.token["refresh_token"], token_type_hint="refresh_token"
).raise_for_status()
print(json.dumps({"status_after_revocation": session.get(server["userinfo_endpoint"]).status_code}))
