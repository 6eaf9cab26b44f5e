#!/usr/bin/env python3
"""Asks a real Consul 1.8.7 the questions of questions.json and writes its answers to recorded.json.

  unshare --net --pid --fork --mount-proc --kill-child sh -c 'ip link set lo up; python3 record.py /path/to/consul'

Run it in a network namespace of its own: it uses Consul's usual ports. An answer is recorded as the text a test can
compare; what changes from one asking to the next (order, choice under a limit) is noticed by asking several times.
"""
import ipaddress, json, os, random, socket, struct, subprocess, sys, tempfile, threading, time, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ASKED = 8
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "OPT": 41,
         "AXFR": 252, "ANY": 255, "NAPTR": 35}
NAMES = {v: k for k, v in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def wire_name(text):
    out = b""
    for label in text.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode()
    return out + b"\0"


def build(q, qid):
    if "raw" in q:
        return struct.pack(">H", qid) + bytes.fromhex(q["raw"])
    flags = 0x0100 if q.get("rd", True) else 0
    edns = q.get("edns")
    msg = struct.pack(">HHHHHH", qid, flags | q.get("flags", 0), 1, 0, 0, 1 if edns is not None else 0)
    msg += wire_name(q["name"]) + struct.pack(">HH", TYPES[q["type"]], q.get("class", 1))
    if edns is not None:
        options = bytes.fromhex(q.get("options", ""))
        msg += b"\0" + struct.pack(">HHIH", 41, edns, q.get("ednsflags", 0), len(options)) + options
    return msg


def name_at(m, at):
    labels, end, jumps = [], None, 0
    while True:
        n = m[at]
        if n >= 0xC0:
            end = end if end is not None else at + 2
            at = ((n & 0x3F) << 8) | m[at + 1]
            jumps += 1
            assert jumps < 100
        elif n == 0:
            return ".".join(labels) + ".", end if end is not None else at + 1
        else:
            labels.append(m[at + 1:at + 1 + n].decode("latin-1"))
            at += 1 + n


def record_at(m, at):
    owner, at = name_at(m, at)
    kind, cls, ttl, length = struct.unpack(">HHIH", m[at:at + 10])
    at += 10
    data = m[at:at + length]
    if kind == 1:
        text = str(ipaddress.IPv4Address(data))
    elif kind == 28:
        text = str(ipaddress.IPv6Address(data))
    elif kind in (2, 5, 12):
        text = name_at(m, at)[0]
    elif kind == 33:
        text = "%d %d %d " % struct.unpack(">HHH", data[:6]) + name_at(m, at + 6)[0]
    elif kind == 16:
        parts, i = [], 0
        while i < length:
            parts.append('"' + data[i + 1:i + 1 + data[i]].decode("latin-1") + '"')
            i += 1 + data[i]
        text = " ".join(parts)
    elif kind == 6:
        mname, p = name_at(m, at)
        rname, p = name_at(m, p)
        # The serial is the time of day: no test can know it.
        text = "%s %s SERIAL %d %d %d %d" % ((mname, rname) + struct.unpack(">IIIII", m[p:p + 20])[1:])
    elif kind == 41:
        return "OPT size=%d ttl=%d data=%s" % (cls, ttl, data.hex()), at + length
    else:
        text = data.hex()
    return "%s %d %s %s" % (owner, ttl, NAMES.get(kind, kind), text), at + length


def parse(m):
    _, flags, qd, an, ns, ar = struct.unpack(">HHHHHH", m[:12])
    words = [w for bit, w in ((0x8000, "qr"), (0x0400, "aa"), (0x0200, "tc"), (0x0100, "rd"), (0x0080, "ra"),
                              (0x0020, "ad"), (0x0010, "cd")) if flags & bit]
    at, questions = 12, []
    for _ in range(qd):
        n, at = name_at(m, at)
        t, c = struct.unpack(">HH", m[at:at + 4])
        at += 4
        questions.append("%s %s" % (n, NAMES.get(t, t)))
    sections = []
    for count in (an, ns, ar):
        rows = []
        for _ in range(count):
            row, at = record_at(m, at)
            rows.append(row)
        sections.append(rows)
    return {"rcode": RCODES.get(flags & 15, flags & 15), "flags": " ".join(words), "question": questions,
            "answer": sections[0], "authority": sections[1], "additional": sections[2], "size": len(m)}


def ask(q, port=8600):
    qid = random.randrange(65536)
    msg = build(q, qid)
    if q.get("tcp"):
        with socket.create_connection(("127.0.0.1", port), 3) as s:
            s.sendall(struct.pack(">H", len(msg)) + msg)
            f = s.makefile("rb")
            return f.read(struct.unpack(">H", f.read(2))[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5 if "raw" not in q else 0.3)
        s.sendto(msg, ("127.0.0.1", port))
        try:
            return s.recv(65535)
        except TimeoutError:
            return None


def combine(answers):
    first = answers[0]
    key = lambda a: [sorted(a[s]) for s in ("answer", "authority", "additional")]
    kinds = lambda a: [[r.split()[2] if not r.startswith("OPT") else "OPT" for r in a[s]] for s in
                       ("answer", "authority", "additional")]
    if any(key(a) != key(first) for a in answers):
        first["chosen"] = True
        first["choices"] = sorted({r for a in answers for s in ("answer", "authority", "additional") for r in a[s]})
    first["order"] = all(kinds(a) == kinds(first) for a in answers)
    first["sizes"] = sorted({a["size"] for a in answers})
    del first["size"]
    return first


def put(path, body, port=8500):
    urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d%s" % (port, path), method="PUT",
                                                  data=json.dumps(body).encode()), timeout=5).read()


def many(count):
    return [{"Node": "n1", "Address": "10.1.0.1", "Service": {
        "ID": "many%d-%d" % (count, i), "Service": "many%d" % count, "Port": 10000 + i,
        "Address": "10.9.%d.%d" % (count % 250, i + 1)}} for i in range(count)]


def start(consul, folder, config):
    conf = os.path.join(folder, "c.json")
    with open(conf, "w") as f:
        json.dump(config, f)
    agent = subprocess.Popen([consul, "agent", "-dev", "-node", "srv1", "-bind", "127.0.0.1", "-config-file", conf,
                              "-log-level", "err"], stdout=subprocess.DEVNULL)
    for _ in range(100):
        time.sleep(0.2)
        try:
            if len(urllib.request.urlopen("http://127.0.0.1:8500/v1/status/leader").read()) > 4 and b"srv1" in \
               urllib.request.urlopen("http://127.0.0.1:8500/v1/health/service/consul").read():
                return agent
        except OSError:
            pass
    sys.exit("consul did not start")


def upstream(port, answers):
    """A recursor of one page: answers.json says for a name and type which records it returns."""
    def row(owner, kind, data):
        if kind == "A":
            raw = ipaddress.IPv4Address(data).packed
        elif kind == "AAAA":
            raw = ipaddress.IPv6Address(data).packed
        elif kind == "TXT":
            raw = bytes([len(data)]) + data.encode()
        else:
            raw = wire_name(data)
        return wire_name(owner) + struct.pack(">HHIH", TYPES[kind], 1, 77, len(raw)) + raw

    def reply(m):
        qid, flags = struct.unpack(">HH", m[:4])
        name, at = name_at(m, 12)
        kind = NAMES.get(struct.unpack(">H", m[at:at + 2])[0], "?")
        rows = [r for r in answers if r[0].lower() == name.lower() and kind in (r[1], "ANY") or
                r[0].lower() == name.lower() and r[1] == "CNAME"]
        for r in [r for r in rows if r[1] == "CNAME" and kind != "CNAME"]:
            rows += [x for x in answers if x[0].lower() == r[2].lower() and x[1] == kind]
        rcode = 0 if any(r[0].lower() == name.lower() for r in answers) else 3
        return struct.pack(">HHHHHH", qid, 0x8180 | rcode, 1, len(rows), 0, 0) + m[12:at + 4] + \
            b"".join(row(*r) for r in rows)

    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))

    def serve():
        while True:
            m, who = udp.recvfrom(65535)
            udp.sendto(reply(m), who)
    threading.Thread(target=serve, daemon=True).start()

    tcp = socket.create_server(("127.0.0.1", port))

    def serve_tcp():
        while True:
            c, _ = tcp.accept()
            with c:
                f = c.makefile("rb")
                m = f.read(struct.unpack(">H", f.read(2))[0])
                out = reply(m)
                c.sendall(struct.pack(">H", len(out)) + out)
    threading.Thread(target=serve_tcp, daemon=True).start()


def main():
    consul = sys.argv[1]
    with open(os.path.join(HERE, "questions.json")) as f:
        plan = json.load(f)
    with open(os.path.join(HERE, "fixture.json")) as f:
        fixture = json.load(f)
    upstream(5353, plan["upstream"])
    recorded = []
    for setup in plan["setups"]:
        with tempfile.TemporaryDirectory() as folder:
            agent = start(consul, folder, setup["config"])
            for r in fixture + [r for n in plan["many"] for r in many(n)]:
                put("/v1/catalog/register", r)
            time.sleep(0.3)
            for q in setup["questions"]:
                replies = [ask(q) for _ in range(ASKED)]
                got = {"rcode": "NO ANSWER"} if replies[0] is None else combine([parse(r) for r in replies])
                recorded.append({"setup": setup["name"], "q": q, "a": got})
            agent.terminate()
            agent.wait()
    with open(os.path.join(HERE, "recorded.json"), "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(r) for r in recorded) + "\n]\n")
    for r in recorded if "-v" in sys.argv else []:
        print("\n###", r["setup"], json.dumps(r["q"]))
        a = r["a"]
        print("  ", a.get("rcode"), a.get("flags"), "sizes", a.get("sizes"), "order", a.get("order"), "chosen", a.get("chosen"))
        for s in ("question", "answer", "authority", "additional"):
            rows = a.get(s, [])
            for row in rows[:9]:
                print("     ", s[:3], row)
            if len(rows) > 9:
                print("      ...", s, len(rows))


main()
