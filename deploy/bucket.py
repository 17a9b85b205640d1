#!/usr/bin/env python3
"""Copies the files of the bucket in KEROXIO_S3_* to a folder and back: bucket.py save FOLDER, bucket.py load FOLDER < names

`save` prints the names of all files that are in the bucket and fetches those the folder has not yet: their names are made of
their content, so they never change. `load` puts the files that are named on its input back. Standard library only.
"""
import hashlib, hmac, os, sys, urllib.error, urllib.parse, urllib.request
import xml.etree.ElementTree as XML
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path


class Bucket:
    def __init__(self):
        env = os.environ
        self.region = env.get("KEROXIO_S3_REGION", "auto")
        endpoint = env.get("KEROXIO_S3_ENDPOINT") or f"https://s3.{self.region}.amazonaws.com"
        self.endpoint = urllib.parse.urlsplit(endpoint.rstrip("/"))
        self.bucket, self.key, self.secret = env["KEROXIO_S3_BUCKET"], env["KEROXIO_S3_ACCESS_KEY_ID"], env["KEROXIO_S3_SECRET_ACCESS_KEY"]

    def ask(self, method, name="", query=(), body=b""):
        """One request, signed as AWS Signature Version 4 says."""
        path = urllib.parse.quote(f"{self.endpoint.path}/{self.bucket}/{name}" if name else f"{self.endpoint.path}/{self.bucket}")
        query = "&".join(f"{urllib.parse.quote(k, safe='')}={urllib.parse.quote(v, safe='')}" for k, v in sorted(query))
        now, content = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256(body).hexdigest()
        headers = {"host": self.endpoint.netloc, "x-amz-content-sha256": content, "x-amz-date": now}
        signed = ";".join(headers)
        request = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in headers.items()), "", signed, content])
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders={signed}, "
                                    f"Signature={hmac.digest(key, text.encode(), 'sha256').hex()}")
        url = f"{self.endpoint.scheme}://{self.endpoint.netloc}{path}" + (f"?{query}" if query else "")
        data = body if method == "PUT" else None
        headers["content-type"] = "application/octet-stream"
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
            return answer.read()

    def names(self):
        after = None
        while True:
            query = [("list-type", "2")] + ([("continuation-token", after)] if after else [])
            page = XML.fromstring(self.ask("GET", query=query))
            space = page.tag.partition("}")[0] + "}" if page.tag.startswith("{") else ""
            yield from (found.text for found in page.iter(f"{space}Key") if not found.text.startswith("health/"))
            after = page.findtext(f"{space}NextContinuationToken")
            if not after:
                return


def inside(folder, name):
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        sys.exit(f"bucket: {name} leads out of {folder}")
    return path


def save(bucket, folder):
    def fetch(name):
        path = inside(folder, name)
        if not path.is_file():
            try:
                content = bucket.ask("GET", name)
            except urllib.error.HTTPError as refused:
                if refused.code == 404:
                    return None  # It was taken away meanwhile, and so was its row.
                raise
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            part.write_bytes(content)
            part.rename(path)
        return name

    with ThreadPoolExecutor(8) as several:
        for name in several.map(fetch, bucket.names()):
            if name:
                print(name)


def load(bucket, folder):
    if next(bucket.names(), None):
        sys.exit("bucket: it is not empty")
    names = [line.strip() for line in sys.stdin if line.strip()]
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda name: bucket.ask("PUT", name, body=inside(folder, name).read_bytes()), names))


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("save", "load"):
        sys.exit("usage: bucket.py save FOLDER | bucket.py load FOLDER < names")
    folder = Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    {"save": save, "load": load}[sys.argv[1]](Bucket(), folder)


if __name__ == "__main__":
    main()
