#!/usr/bin/env python3
"""Durable puts whose values always differ, ours beside Consul, in turns on one machine.

  unshare --net --pid --fork --mount-proc --kill-child bash -c 'ip link set lo up; exec bench/puts.py --a CONSUL --b PRAETOR'

For each number of clients a fresh server of each is started, or three with --servers 3 (at 127.0.0.1 to 3; --at says who
of them is asked); their first second is printed as "cold". Then each is warmed up, and measured in turns. Needs wrk, and
for three of ours an etcd on PATH, whose processor time counts. Prints medians, and the median of the rounds' ratios."""
import argparse, http.client, json, os, shutil, signal, statistics, subprocess, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
TICK = os.sysconf('SC_CLK_TCK')
CONFIG = {'performance': {'raft_multiplier': 1}, 'disable_update_check': True,
          'limits': {'http_max_conns_per_client': 10000}}


class Servers:
    def __init__(self, name, binary, port, count, at):
        self.name, self.port, self.runs, self.at = name, port, 0, at
        self.dir = tempfile.mkdtemp(prefix='puts-')
        self.addresses = ['127.0.0.%d' % (i + 1) for i in range(count)]
        self.processes = [self.start(binary, i, address) for i, address in enumerate(self.addresses)]

    def start(self, binary, i, address):
        names = ('http', 'dns', 'server', 'serf_lan', 'serf_wan', 'store_peer')
        ports = dict(zip(names, range(self.port, self.port + len(names))), grpc=-1)
        if self.name == 'a':
            del ports['store_peer']
        file = os.path.join(self.dir, 'c%d.json' % i)
        with open(file, 'w') as f:
            others = ['%s:%d' % (x, ports['serf_lan']) for x in self.addresses if x != address]
            json.dump(dict(CONFIG, ports=ports, retry_interval='1s', retry_join=others), f)
        with open(os.path.join(self.dir, 'log%d' % i), 'w') as log:
            return subprocess.Popen(
                [binary, 'agent', '-server', '-bootstrap-expect=%d' % len(self.addresses),
                 '-data-dir', '%s/data%d' % (self.dir, i), '-node', 'n%d' % i,
                 '-bind', address, '-client', address, '-config-file', file, '-log-level', 'warn'],
                stdout=log, stderr=log)

    def ask(self, address, method, path, body=None):
        c = http.client.HTTPConnection(address, self.port, timeout=5)
        c.request(method, path, body)
        return c.getresponse().read().strip()

    def wait(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if all(self.ask(x, 'PUT', '/v1/kv/start', 'x') == b'true' for x in self.addresses):
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise SystemExit(self.name + ' takes no puts; its log: ' + self.dir)

    def asked(self):
        leader = self.ask(self.addresses[0], 'GET', '/v1/status/leader').decode().strip('"').split(':')[0]
        return leader if self.at == 'leader' else next(x for x in self.addresses if x != leader)

    def cpu(self):
        all_ = [p.pid for p in self.processes]
        for pid in list(all_):
            for task in os.listdir('/proc/%d/task' % pid):
                with open('/proc/%d/task/%s/children' % (pid, task)) as f:
                    all_ += map(int, f.read().split())
        return sum(map(self.cpu_of, all_))

    @staticmethod
    def cpu_of(pid):
        with open('/proc/%d/stat' % pid) as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def put(self, clients, seconds):
        self.runs += 1
        env = dict(os.environ, PUTS_TAG='%s%d' % (self.name, self.runs), PUTS_SIZE='128')
        before = self.cpu()
        out = subprocess.run(
            ['wrk', '-t1', '-c%d' % clients, '-d%ds' % seconds, '--timeout', '5s', '-s', HERE + '/puts.lua',
             'http://%s:%d/' % (self.asked(), self.port)], env=env, capture_output=True, text=True).stdout
        used = self.cpu() - before
        r = json.loads(out[out.rindex('JSON ') + 5:])
        return {'rps': r['n'] / r['secs'], 'p50 us': r['p50'], 'p99 us': r['p99'], 'max us': r['max'],
                'cpu us': used / r['n'] * 1e6, 'errors': r['errors']}

    def end(self):
        # Asked to, so that ours ends its etcd, too.
        for p in self.processes:
            p.send_signal(signal.SIGTERM)
        for p in self.processes:
            try:
                p.wait(60)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def line(what, a, b):
    ratio = statistics.median(y / x for x, y in zip(a, b)) if a and b and all(a) else float('nan')
    shown = ['%.0f [%.0f-%.0f]' % (statistics.median(v), min(v), max(v)) if v else '-' for v in (a, b)]
    print('  %-12s %28s %28s   %.2f' % (what, shown[0], shown[1], ratio), flush=True)


def measure(options, clients):
    servers = [Servers(n, b, 21000 + 100 * i, options.servers, options.at)
               for i, (n, b) in enumerate((('a', options.a), ('b', options.b))) if b]
    try:
        for s in servers:
            s.wait()
        time.sleep(1)
        cold = {s.name: [s.put(clients, 1)] for s in servers}
        for s in servers:
            if options.warm:
                s.put(clients, options.warm)
        rounds = {s.name: [] for s in servers}
        for _ in range(options.rounds):
            for s in servers:
                rounds[s.name].append(s.put(clients, options.seconds))
        print('%d client(s)' % clients)
        for kind, of in (('cold ', cold), ('', rounds)):
            for what in ('rps', 'p50 us', 'p99 us', 'max us', 'cpu us', 'errors'):
                line(kind + what, *[[r[what] for r in of.get(n, [])] for n in 'ab'])
    finally:
        for s in servers:
            s.end()


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument('--a')
    parse.add_argument('--b')
    parse.add_argument('--servers', type=int, default=1, choices=(1, 3))
    parse.add_argument('--at', default='leader', choices=('leader', 'follower'))
    parse.add_argument('--clients', default='1,64')
    parse.add_argument('--rounds', type=int, default=5)
    parse.add_argument('--seconds', type=int, default=2)
    parse.add_argument('--warm', type=int, default=6)
    options = parse.parse_args()
    for clients in options.clients.split(','):
        measure(options, int(clients))


if __name__ == '__main__':
    main()
