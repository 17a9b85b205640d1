#!/usr/bin/env python3
"""Uses a running Keroxio as people do, so that every metric has something to say: journey.py http://127.0.0.1:8080

It is for test systems: it makes accounts, ads and sales. Webhooks and letters arrive at a little server of its own
(--receiver PORT), if the system under test runs with KEROXIO_WEBHOOKS_PRIVATE=on and RESEND_BASE_URL pointing there.
With the program itself (--keroxio PATH, and the settings of the system in the environment) an operator brings ads of the
market, which are made up around our own estimates.
"""
import argparse, base64, datetime, json, os, re, socket, struct, subprocess, threading, time, urllib.error, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
CAR = {"make": "Renault", "model": "Clio", "version": "V TCe 90 Zen", "firstRegistration": "2020-03",
       "mileageKm": 45000, "fuel": "PETROL", "critAir": "CLASS_1", "technicalInspectionOn": str(datetime.date.today())}


class Client:
    def __init__(self, base):
        self.base, self.token = base, None

    def post(self, body, kind="application/json"):
        headers = {"content-type": kind} | ({"authorization": f"Bearer {self.token}"} if self.token else {})
        request = urllib.request.Request(f"{self.base}/graphql", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            text = refused.read()
            try:
                return json.loads(text)
            except ValueError:
                return {"errors": [{"message": text.decode(errors="replace")}]}

    def ask(self, query, **variables):
        """The data, or nothing where the answer is an error: some are wanted."""
        answer = self.post(json.dumps({"query": query, "variables": variables}).encode())
        for error in answer.get("errors", []):
            print("   ", error.get("extensions", {}).get("code", "?"), error["message"][:100])
        return answer.get("data") or {}

    def upload(self, query, file, **variables):
        return self.upload_bytes(query, file.name, file.read_bytes(), **variables)

    def upload_bytes(self, query, name, content, **variables):
        edge = uuid.uuid4().hex
        operations = {"query": query, "variables": {"file": None} | variables}
        parts = [("operations", json.dumps(operations)), ("map", '{"0":["variables.file"]}')]
        body = b"".join(f'--{edge}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode() for name, text in parts)
        body += f'--{edge}\r\ncontent-disposition: form-data; name="0"; filename="{name}"\r\n\r\n'.encode()
        body += content + f"\r\n--{edge}--\r\n".encode()
        return self.post(body, f"multipart/form-data; boundary={edge}").get("data") or {}

    def photo(self, name):
        return self.upload("mutation($file: Upload!) { uploadPhoto(file: $file) { id } }", FIXTURES / name)["uploadPhoto"]["id"]

    def register(self, kind):
        """Their address and password."""
        email, password = f"journey-{uuid.uuid4().hex[:12]}@example.org", "a long password " + uuid.uuid4().hex
        data = self.ask("mutation($i: RegisterInput!) { register(input: $i) { accessToken } }", i={
            "email": email, "password": password, "organizationName": "Journey", "organizationKind": kind})
        self.token = data["register"]["accessToken"]
        return email, password


class Socket:
    """As much of RFC 6455 as texts need."""

    def __init__(self, base, protocol="graphql-transport-ws"):
        host, _, port = base.removeprefix("http://").partition(":")
        self.wire = socket.create_connection((host, int(port or 80)), timeout=90)
        key = base64.b64encode(os.urandom(16)).decode()
        self.wire.sendall((f"GET /graphql HTTP/1.1\r\nhost: {host}\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                           f"sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n"
                           f"sec-websocket-protocol: {protocol}\r\n\r\n").encode())
        self.read = self.wire.makefile("rb")
        while self.read.readline().strip():
            pass

    def say(self, message):
        data, mask = json.dumps(message).encode(), os.urandom(4)
        head = bytes([0x81]) + (bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + struct.pack(">H", len(data)))
        self.wire.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def hear(self):
        """The next text; nothing once the connection is closed."""
        while head := self.read.read(2):
            length = head[1] & 0x7F
            if length > 125:
                length = int.from_bytes(self.read.read(2 if length == 126 else 8), "big")
            data = self.read.read(length)
            if head[0] & 0x0F == 8:
                return None
            if head[0] & 0x0F == 1:
                return json.loads(data)
        return None


class Outside(BaseHTTPRequestHandler):
    """Receives webhooks, and letters as the mail service does. `/refuse` wants nothing; the very first is not taken."""

    letters = []

    def do_POST(self):
        self.letters.append(self.rfile.read(int(self.headers.get("content-length", 0))).decode(errors="replace"))
        # The first letter has to be sent again.
        self.send_response(400 if self.path == "/refuse" else 503 if len(self.letters) == 1 else 200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"id": str(uuid.uuid4())}).encode())

    def log_message(self, *_):
        pass


def letter_to(email):
    """The token in the letter to this address, once it has come."""
    for _ in range(100):
        for letter in Outside.letters:
            if email in letter and (link := re.search(r"#token=([\w-]+)", letter)):
                return link[1]
        time.sleep(0.1)
    return None


def follow(client, listing):
    watch = Socket(client.base)
    watch.say({"type": "connection_init", "payload": {"authorization": f"Bearer {client.token}"}})
    watch.say({"type": "subscribe", "id": "0", "payload": {"query": "{ unreadNotifications }"}})
    watch.say({"type": "subscribe", "id": "1", "payload": {
        "query": "subscription($id: UUID!) { listingProgress(listingId: $id, after: 0) { step state percent } }",
        "variables": {"id": listing}}})
    last = None
    while (message := watch.hear()) and (message["type"], message.get("id")) != ("complete", "1"):
        last = message.get("payload") or last
    return last


def listing_of(client, photos, facts):
    data = client.ask("mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id vehicle { id } } }",
                      i={"photoIds": photos, "vehicle": facts})
    return data["prepareListing"]["id"], data["prepareListing"]["vehicle"]["id"]


def market(base, program):
    print("==> an operator brings ads of the market")
    operator = Client(base)
    email, password = operator.register("PRIVATE_SELLER")
    subprocess.run([program, "users", "staff", email], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log_in = "mutation($e: String!, $p: String!) { logIn(email: $e, password: $p) { accessToken } }"
    operator.token = operator.ask(log_in, e=email, p=password)["logIn"]["accessToken"]
    quote = "query($c: [VehicleInput!]!) { estimatePrices(cars: $c) { mid { amount } } }"
    kms = [30_000 + 1_000 * n for n in range(40)]
    cars = [{"make": "Renault", "model": "Clio", "firstRegistration": "2020-03", "mileageKm": km, "fuel": "PETROL"} for km in kms]
    lines = ["ad_id,ad_date,brand,model,year,month,mileage_km,fuel,price"]
    for number, (km, told) in enumerate(zip(kms, operator.ask(quote, c=cars)["estimatePrices"])):
        lines.append(f"{number},{datetime.date.today()},Renault,Clio,2020,3,{km},petrol,{told['mid']['amount'] * 1.02:.0f}")
    bring = "mutation($file: Upload!, $s: String!) { importMarketAds(file: $file, source: $s) { accepted refused } }"
    print("   ", operator.upload_bytes(bring, "ads.csv", "\n".join(lines).encode(), s="journey"))


def journey(base, receiver):
    print("==> a garage signs up")
    garage = Client(base)
    garage.register("DEALER")
    hook = "mutation($i: WebhookInput!) { createWebhook(input: $i) { webhook { id } } }"
    if receiver:
        for path in ("hook", "refuse"):
            garage.ask(hook, i={"url": f"http://127.0.0.1:{receiver}/{path}", "events": ["LISTING_PREPARED", "LISTING_SOLD"]})
    garage.ask("mutation { requestEmailVerification }")
    garage.ask('mutation { updateOrganization(siren: "552100554") { id } }')

    print("==> two ads are prepared, one is followed live")
    first, car = listing_of(garage, [garage.photo("hatch-front.jpg"), garage.photo("hatch-rear.jpg")], CAR)
    print("   ", follow(garage, first))
    other, other_car = listing_of(garage, [garage.photo("suv-front.jpg")], CAR | {"model": "Captur", "version": None})
    follow(garage, other)

    nothing, _ = listing_of(garage, [garage.photo("no-car.jpg")], {"make": "Renault"})
    follow(garage, nothing)

    print("==> plates are confirmed and corrected")
    read = "mutation($p: UUID!) { readPlate(photoId: $p) { id text } }"
    correct = "mutation($r: UUID!, $t: String!) { correctPlate(readingId: $r, text: $t) { formatted } }"
    for name, plate in (("hatch-front.jpg", "YK482ZN"), ("suv-front.jpg", "AB123CD")):
        reading = garage.ask(read, p=garage.photo(name))
        if reading:
            garage.ask(correct, r=reading["readPlate"]["id"], t=plate)

    print("==> prices, and what comes of mistakes")
    quote = "query($c: VehicleInput!) { estimatePrice(car: $c) { mid { amount } } }"
    price = {"make": "Peugeot", "model": "208", "firstRegistration": "2021-05", "mileageKm": 38000, "fuel": "PETROL"}
    for _ in range(5):
        garage.ask(quote, c=price)
    garage.ask(quote, c=price | {"make": "Zzyzx"})
    garage.ask('query { vehicle(id: "01890000-0000-7000-8000-000000000000") { id } }')
    garage.ask("query { nonsense }")
    wrong = Socket(base)
    wrong.say({"type": "nonsense"})
    wrong.hear()

    print("==> published, sold, sold for so much")
    packs = garage.ask("query($l: UUID!) { publications(listingId: $l) { id platform } }", l=first).get("publications") or []
    addresses = {"leboncoin": "https://www.leboncoin.fr/ad/voitures/2345678901"}
    for pack in packs:
        if pack["platform"] in addresses:
            garage.ask("mutation($i: UUID!, $u: String!) { confirmPublication(id: $i, url: $u) { state } }",
                       i=pack["id"], u=addresses[pack["platform"]])
    garage.ask("mutation($l: UUID!) { openListingPage(listingId: $l) { url } }", l=first)
    mid = garage.ask("query($l: UUID!) { listing(id: $l) { estimate { mid { amount } } } }", l=first)["listing"]["estimate"]["mid"]["amount"]
    for listing, vehicle, paid in ((first, car, mid), (other, other_car, 4000)):
        garage.ask("mutation($l: UUID!) { markListingSold(id: $l) { soldAt } }", l=listing)
        garage.ask("mutation($v: UUID!, $p: Int!) { recordSale(vehicleId: $v, price: $p) { insideInterval } }", v=vehicle, p=paid)

    print("==> a guest becomes a seller, lists are read")
    guest, email = Client(base), f"guest-{uuid.uuid4().hex[:12]}@example.org"
    guest.token = guest.ask("mutation { startAsGuest { accessToken } }")["startAsGuest"]["accessToken"]
    guest.ask("mutation($e: String!) { requestClaim(email: $e) }", e=email)
    if receiver and (token := letter_to(email)):
        guest.ask("mutation($t: String!, $p: String!) { claimGuest(token: $t, password: $p) { accessToken } }", t=token, p="a long password")
    for _ in range(20):
        garage.ask("query { listings(first: 20) { nodes { id title photos { id } } } notifications { nodes { kind } } }")
    with urllib.request.urlopen(f"{base}/healthz") as answer:
        answer.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("--receiver", type=int, help="port on 127.0.0.1 for webhooks and letters")
    parser.add_argument("--keroxio", metavar="PATH", help="the program, which makes an operator")
    parser.add_argument("--upload-only", action="store_true", help="only try to upload a photo, for a storage that fails")
    args = parser.parse_args()
    if args.upload_only:
        somebody = Client(args.base.rstrip("/"))
        somebody.register("PRIVATE_SELLER")
        query = "mutation($file: Upload!) { uploadPhoto(file: $file) { id } }"
        return print("uploaded:", somebody.upload(query, FIXTURES / "hatch-front.jpg"))
    if args.receiver:
        outside = ThreadingHTTPServer(("127.0.0.1", args.receiver), Outside)
        threading.Thread(target=outside.serve_forever, daemon=True).start()
    if args.keroxio:
        market(args.base.rstrip("/"), args.keroxio)
    journey(args.base.rstrip("/"), args.receiver)
    # Letters and webhooks leave a little later.
    time.sleep(8)


if __name__ == "__main__":
    main()
