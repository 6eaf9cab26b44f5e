#!/usr/bin/env python3
"""Records what the real Consul answers to the exchanges of exchanges.txt, for the replay in tests/Integration/Conformance.

    record.py [CONSUL] [SCENARIO…]     writes recorded/SCENARIO.json for each scenario (default: all)

CONSUL is the binary (default: consul below $PEERS, ~/.cache/praetor-peers). Needs root: each agent runs in a network
namespace of its own, so that every port is free and nothing but loopback is there.

exchanges.txt holds scenarios, each played in order against a fresh `agent -dev -node lab`:

    == name: what it is about              begins a scenario; name is the file's name
    ~ some { hcl = true }                  a line of configuration for its agent
    -- name                                begins an exchange
    ! until TEXT                           repeat the request until the answer's body holds TEXT (5 s at most)
    ! capture NAME PATH                    keep the value at PATH (.a.0.b) or "header:X-Name"; later used as {{NAME}}
    ! as text                              compare the body as text, though it is JSON
    ! unordered                            the lists of the answer have no order
    ! repeat TEXT N                        the body is TEXT, N times
    ! only PATH…                           record only these parts (a.b) of the answer; the rest is the agent's own matter
    ! shape                                record the types only
    METHOD /path                           the request; then headers as `Name: value` until the first other line
    body                                   to the end of the exchange

What differs from run to run is masked: <index>, <uuid>, <time> and so on; the replay knows what each may be."""
import http.client, json, os, re, shutil, subprocess, sys, time, urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.environ.get('PEERS', os.path.expanduser('~/.cache/praetor-peers'))
NODE_ID = '11111111-2222-3333-4444-555555555555'
HEADERS = ['Content-Type', 'X-Consul-Index', 'X-Consul-KnownLeader', 'X-Consul-LastContact', 'X-Consul-ContentHash',
           'X-Consul-Effective-Consistency', 'X-Consul-Translate-Addresses', 'X-Cache', 'Vary', 'Content-Encoding',
           'Allow', 'X-Content-Type-Options', 'Content-Security-Policy', 'Location']
INDEX_KEYS = {'CreateIndex', 'ModifyIndex', 'LockIndex', 'Index', 'RaftIndex'}
UUID = r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'


class Exchange:
    def __init__(self, name):
        self.name, self.method, self.path, self.headers, self.body = name, '', '', {}, ''
        self.until, self.captures, self.as_text, self.unordered = None, {}, False, False
        self.repeat, self.only, self.shape = None, [], False


def parse(text):
    """Gives [(name, about, config lines, [Exchange])]."""
    scenarios, current = [], None
    for line in text.splitlines():
        if line.startswith('== '):
            name, about = line[3:].split(': ', 1)
            scenarios.append((name, about, [], []))
            current = None
        elif line.startswith('~ '):
            scenarios[-1][2].append(line[2:])
        elif line.startswith('-- '):
            current = Exchange(line[3:].strip())
            scenarios[-1][3].append((current, []))
        elif current is not None:
            scenarios[-1][3][-1][1].append(line)
    return [(n, a, c, [finish(e, lines) for e, lines in es]) for n, a, c, es in scenarios]


def finish(exchange, lines):
    lines = [line for line in lines if not line.startswith('# ')]
    while lines and lines[0].startswith('! '):
        directive(exchange, lines.pop(0)[2:])
    exchange.method, exchange.path = lines.pop(0).split(' ', 1)
    while lines and re.match(r'[A-Z][A-Za-z-]+: ', lines[0]):
        key, value = lines.pop(0).split(': ', 1)
        exchange.headers[key] = value
    exchange.body = '\n'.join(lines).strip('\n')
    return exchange


def directive(exchange, text):
    word, _, rest = text.partition(' ')
    if word == 'until':
        exchange.until = rest
    elif word == 'capture':
        name, path = rest.split(' ')
        exchange.captures[name] = path
    elif text == 'as text':
        exchange.as_text = True
    elif text == 'unordered':
        exchange.unordered = True
    elif word == 'repeat':
        unit, count = rest.split(' ')
        exchange.repeat = [unit, int(count)]
    elif word == 'only':
        exchange.only = rest.split()
    elif text == 'shape':
        exchange.shape = True
    else:
        sys.exit(f'{exchange.name}: unknown directive "{text}"')


def mask_text(text):
    text = re.sub(r'-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----\n?', '<pem>', text)
    text = re.sub(UUID, lambda m: m[0] if keeps(m[0]) else '<uuid>', text)
    text = re.sub(r'(?!0001)\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC|[+-]\d\d:\d\d)?', '<time>', text)
    text = re.sub(r'("(Create|Modify)Index": )\d+', r'\1<number>', text)
    text = re.sub(r'\b([0-9a-f]{2}:){15,}[0-9a-f]{2}\b', '<hex>', text)
    text = re.sub(r'(?<=current modify index )\d+', '<number>', text)
    text = re.sub(r'(?<=127\.0\.0\.1:)\d+', '<port>', text)
    text = re.sub(r'(?<=\[::1\]:)\d+', '<port>', text)
    return re.sub(r'\b1\.8\.7\b(\+dfsg\d*)?(:[0-9a-f]*)?', '<version>', text)


def keeps(uuid):
    """The node's id is given to the agent; ids that a scenario makes up repeat one digit."""
    return uuid == NODE_ID or len(set(uuid.replace('-', ''))) <= 2


def mask(value, key=''):
    if isinstance(value, dict):
        return {k: mask(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [mask(v, key) for v in value]
    if isinstance(value, str):
        if key in ('ContentHash',) and value:
            return '<hash>'
        if key == 'Hash' and value:
            return '<base64>'
        if key == 'SerialNumber':
            return '<hex>'
        if key in ('port', 'wan_join_port'):
            return '<port>'
        return mask_text(value)
    if isinstance(value, bool) or value is None:
        return value
    if key in INDEX_KEYS and value != 0:
        return '<index>'
    if key == 'SerialNumber':
        return '<number>'
    if key.endswith('Port') and (value in (8300, 8301, 8302, 8500, 8502, 8600) or 21000 <= value <= 21255):
        return '<port>'
    return value


def pick(value, paths):
    """Gives what of an object stands at these paths."""
    if not paths:
        return value
    picked = {}
    for path in paths:
        source, target, parts = value, picked, path.split('.')
        for part in parts[:-1]:
            source, target = source[part], target.setdefault(part, {})
        if parts[-1] in source:
            target[parts[-1]] = source[parts[-1]]
    return picked


def shape(value):
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    if isinstance(value, bool) or value is None or value == '<time>':
        return value
    return '<list>' if isinstance(value, list) else '<any>' if isinstance(value, str) else '<number>'


def reach(answer, path):
    if path.startswith('header:'):
        return answer['headers_all'].get(path[7:].lower(), '')
    value = json.loads(answer['raw'])
    for part in path.strip('.').split('.'):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return str(value)


def fill(text, values):
    return re.sub(r'\{\{(\w+)\}\}', lambda m: values[m[1]], text)


def send(exchange, values):
    body = exchange.repeat[0] * exchange.repeat[1] if exchange.repeat else fill(exchange.body, values)
    connection = http.client.HTTPConnection('127.0.0.1', 8500, timeout=30)
    connection.putrequest(exchange.method, fill(exchange.path, values), skip_accept_encoding=True)
    for key, value in exchange.headers.items():
        connection.putheader(key, fill(value, values))
    data = body.encode()
    if data or exchange.method in ('PUT', 'POST'):
        connection.putheader('Content-Length', str(len(data)))
    connection.endheaders(data)
    answer = connection.getresponse()
    raw = answer.read()
    if answer.getheader('Content-Encoding') == 'gzip':
        import gzip
        raw = gzip.decompress(raw)
    return {'status': answer.status, 'raw': raw.decode('utf-8', 'replace'),
            'headers_all': {k.lower(): v for k, v in answer.getheaders()}}


def play(exchange, values):
    end = time.monotonic() + 5
    while True:
        answer = send(exchange, values)
        if exchange.until is None or exchange.until in answer['raw']:
            break
        if time.monotonic() > end:
            sys.exit(f'{exchange.name}: "{exchange.until}" did not come; last answer: {answer["raw"]}')
        time.sleep(0.05)
    for name, path in exchange.captures.items():
        values[name] = reach(answer, path)
    return record(exchange, answer)


def record(exchange, answer):
    request = {'method': exchange.method, 'path': exchange.path}
    if exchange.headers:
        request['headers'] = exchange.headers
    if exchange.body:
        request['body'] = exchange.body
    if exchange.repeat:
        request['repeat'] = exchange.repeat
    recorded = {'name': exchange.name, 'request': request}
    for key, value in (('until', exchange.until), ('capture', exchange.captures), ('unordered', exchange.unordered)):
        if value:
            recorded[key] = value
    recorded['status'] = answer['status']
    recorded['headers'] = {h: mask_header(h, answer['headers_all'][h.lower()])
                           for h in HEADERS if h.lower() in answer['headers_all']}
    try:
        if exchange.as_text or 'json' not in answer['headers_all'].get('content-type', ''):
            raise ValueError
        value = mask(pick(json.loads(answer['raw']), exchange.only))
        recorded['json'] = shape(value) if exchange.shape else value
    except ValueError:
        recorded['text'] = mask_text(answer['raw'])
    return recorded


def mask_header(name, value):
    if name in ('X-Consul-Index', 'X-Consul-LastContact'):
        return '<number>'
    if name == 'Allow':
        return value.replace(', ', ',')
    if name == 'X-Consul-ContentHash':
        return '<hash>'
    return value


def run(scenario):
    """In the namespace: starts the agent, plays the scenario, prints what was recorded."""
    name, about, config, exchanges = scenario
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    arguments = [os.environ['CONSUL'], 'agent', '-dev', '-node', 'lab', '-node-id', NODE_ID]
    for line in config:
        arguments += ['-hcl', line]
    log = open(f'/tmp/praetor-record-{name}.log', 'wb')
    agent = subprocess.Popen(arguments, stdout=log, stderr=log)
    try:
        wait_until_ready(agent)
        values = {}
        played = [play(exchange, values) for exchange in exchanges]
    finally:
        agent.kill()
        agent.wait()
    print(json.dumps({'scenario': name, 'about': about, 'config': config, 'exchanges': played}, indent=1))


def wait_until_ready(agent):
    """Waits until the agent leads, its node and the CA are there, and it has synced itself."""
    end = time.monotonic() + 20
    for path, text in (('/v1/status/leader', ':'), ('/v1/catalog/nodes', '"lab"'), ('/v1/connect/ca/roots', 'BEGIN'),
                       ('/v1/health/node/lab', 'serfHealth'), ('/v1/catalog/node/lab', 'consul-network-segment')):
        probe = Exchange('ready')
        probe.method, probe.path = 'GET', path
        while True:
            try:
                if text in send(probe, {})['raw']:
                    break
            except OSError:
                pass
            if time.monotonic() > end or agent.poll() is not None:
                sys.exit(f'the agent did not get ready: {path}')
            time.sleep(0.05)


def main():
    wanted = sys.argv[1:]
    consul = os.path.join(PEERS, 'consul/usr/bin/consul')
    if wanted and os.path.sep in wanted[0]:
        consul = os.path.abspath(wanted.pop(0))
    if not shutil.which(consul):
        sys.exit(f'record.py: no Consul at {consul}; set PEERS or name the binary')
    with open(os.path.join(HERE, 'exchanges.txt')) as file:
        scenarios = parse(file.read())
    if os.environ.get('RECORD_INNER'):
        return run(next(s for s in scenarios if s[0] == os.environ['RECORD_INNER']))
    os.makedirs(os.path.join(HERE, 'recorded'), exist_ok=True)
    total, broken = 0, []
    for name, about, _, exchanges in scenarios:
        if wanted and name not in wanted:
            continue
        inner = subprocess.run(
            ['unshare', '--net', '--pid', '--fork', '--mount-proc', '--kill-child', sys.executable, __file__],
            env={**os.environ, 'RECORD_INNER': name, 'CONSUL': consul}, stdout=subprocess.PIPE, text=True)
        if inner.returncode != 0:
            broken.append(name)
            continue
        with open(os.path.join(HERE, 'recorded', name + '.json'), 'w') as file:
            file.write(inner.stdout)
        total += len(exchanges)
        print(f'{name}: {len(exchanges)} exchanges, {about}')
    print(f'{total} exchanges recorded')
    if broken:
        sys.exit('record.py: these scenarios broke off: ' + ' '.join(broken))


main()
