#!/usr/bin/python3
"""Asks Countersign over gRPC whether tokens are good, knowing nothing but its .proto files.

Tokens come on standard input, one a line; each answer goes to standard output as one line of JSON (RFC 7662's names).
The client's secret comes from the environment (COUNTERSIGN_CLIENT_SECRET) or a file: arguments are seen by everybody.
"""

import argparse
import base64
import importlib
import json
import os
import sys
import tempfile
import urllib.parse
from pathlib import Path

import grpc
from grpc_tools import protoc

CONTRACT = "countersign/introspection/v1/introspection.proto"
CONTRACTS = Path(__file__).resolve().parents[2] / "proto"
# What the contract lets one batch hold.
BATCH_TOKENS = 1_000


def generate(contracts):
    """Makes Python from the contract, as `python3 -m grpc_tools.protoc` would, and imports it."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["protoc", f"-I{contracts}", f"--python_out={folder}", f"--grpc_python_out={folder}", CONTRACT]
        if protoc.main(arguments) != 0:
            sys.exit(f"the contract {CONTRACT} could not be compiled")
        sys.path.insert(0, folder)
        try:
            module = CONTRACT.removesuffix(".proto").replace("/", ".")
            return importlib.import_module(f"{module}_pb2"), importlib.import_module(f"{module}_pb2_grpc")
        finally:
            sys.path.remove(folder)


def credentials(options):
    """Client credentials as metadata, or none where the client has a certificate (mutual TLS)."""
    if options.client_id is None:
        return ()
    secret = os.environ.get("COUNTERSIGN_CLIENT_SECRET", "")
    if options.secret_file:
        secret = Path(options.secret_file).read_text().rstrip("\r\n")
    # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
    pair = ":".join(urllib.parse.quote_plus(part) for part in (options.client_id, secret))
    return (("authorization", "Basic " + base64.b64encode(pair.encode()).decode()),)


def connect(options):
    if options.ca is None:
        return grpc.insecure_channel(options.target)
    read = lambda name: Path(name).read_bytes() if name else None
    return grpc.secure_channel(
        options.target, grpc.ssl_channel_credentials(read(options.ca), read(options.key), read(options.cert))
    )


def one_by_one(stub, messages, tokens, call):
    for token in tokens:
        yield stub.Introspect(messages.IntrospectRequest(token=token), **call)


def in_batches(stub, messages, tokens, call):
    for start in range(0, len(tokens), BATCH_TOKENS):
        requests = [messages.IntrospectRequest(token=token) for token in tokens[start : start + BATCH_TOKENS]]
        yield from stub.BatchIntrospect(messages.BatchIntrospectRequest(requests=requests), **call).responses


def streamed(stub, messages, tokens, call):
    """All questions at once; the answers come as they are known, so their ids put them in order."""
    questions = (
        messages.StreamIntrospectRequest(id=number, request=messages.IntrospectRequest(token=token))
        for number, token in enumerate(tokens)
    )
    answers = {}
    for answer in stub.StreamIntrospect(questions, **call):
        if answer.WhichOneof("outcome") == "failure":
            sys.exit(f"{answer.failure.code}: {answer.failure.message}")
        answers[answer.id] = answer.response
    return (answers[number] for number in range(len(tokens)))


def as_json(response):
    """RFC 7662's answer: `active` always, the rest where it is set. What would revoke it is for caches."""
    fields = {field.name: value for field, value in response.ListFields() if field.name != "revoked_by"}
    if "aud" in fields:
        fields["aud"] = list(fields["aud"])
    return json.dumps({"active": response.active, **fields})


def main():
    ways = {"unary": one_by_one, "batch": in_batches, "stream": streamed}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="localhost:50051", help="host:port of the introspection service")
    parser.add_argument("--client-id", help="the resource server's client_id")
    parser.add_argument("--secret-file", help="its secret (default: $COUNTERSIGN_CLIENT_SECRET)")
    parser.add_argument("--ca", help="authorities (PEM) that may sign the server's certificate; turns TLS on")
    parser.add_argument("--cert", help="our own certificate (PEM), for mutual TLS")
    parser.add_argument("--key", help="private key (PEM) of --cert")
    parser.add_argument("--way", choices=ways, default="unary", help="which of the contract's calls to use")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="deadline of each call")
    parser.add_argument("--contracts", type=Path, default=CONTRACTS, help="the folder of the .proto files")
    options = parser.parse_args()
    tokens = [line.strip() for line in sys.stdin if line.strip()]
    messages, services = generate(options.contracts)
    call = {"metadata": credentials(options), "timeout": options.timeout}
    with connect(options) as channel:
        stub = services.IntrospectionStub(channel)
        try:
            for response in ways[options.way](stub, messages, tokens, call):
                print(as_json(response))
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
