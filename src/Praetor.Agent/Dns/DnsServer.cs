using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Dns;

/// <summary>Serves the catalog by DNS, over UDP and TCP, on every configured address.</summary>
public sealed partial class DnsServer
{
    /// <summary>Tries to find a port that is free for both UDP and TCP, when any will do.</summary>
    private const int PortTriesMax = 16;
    private const int Backlog = 128;

    // Enough for some thousand questions that arrive while the thread is not scheduled.
    private const int ReceiveBufferBytes = 4 << 20;
    private readonly DnsContext _context;
    private readonly DnsRecursion _recursion;
    private readonly ILogger _logger;
    private readonly Random _random;
    private readonly Lock _randomGate = new();
    private readonly List<DnsUdpListener> _udp = [];
    private readonly List<DnsTcpListener> _tcp = [];
    private readonly List<IPEndPoint> _endPoints = [];

    public DnsServer(DnsOptions options, IDnsCatalog catalog, TimeProvider time, Random random, ILogger logger)
    {
        _context = new(new DnsSettings(options), catalog, time, Counters);
        _random = random;
        _logger = logger;
        _recursion = new(_context, new DnsForwarder(time), NewRandom);
    }

    public DnsCounters Counters { get; } = new();

    /// <summary>Where the server listens, with the real ports; empty before <see cref="Start"/>.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => _endPoints;

    /// <summary>Binds all addresses and begins to answer.</summary>
    /// <exception cref="SocketException">An address is not ours or its port is taken; nothing is left open.</exception>
    public void Start()
    {
        DnsOptions options = _context.Settings.Options;
        var bound = new List<(Socket Udp, Socket Tcp)>();
        try
        {
            foreach (IPAddress address in options.Addresses)
            {
                bound.Add(Bind(address, options.Port));
            }
        }
        catch (SocketException)
        {
            bound.ForEach(pair =>
            {
                pair.Udp.Dispose();
                pair.Tcp.Dispose();
            });
            throw;
        }
        foreach ((Socket udp, Socket tcp) in bound)
        {
            Listen(udp, tcp);
        }
    }

    /// <summary>Takes over everything but addresses and port, for the next question on.</summary>
    public void Reload(DnsOptions options)
    {
        DnsOptions old = _context.Settings.Options;
        _context.Settings = new DnsSettings(options with { Addresses = old.Addresses, Port = old.Port });
    }

    public async Task StopAsync()
    {
        foreach (DnsUdpListener listener in _udp)
        {
            listener.Stop();
        }
        await Task.WhenAll(_tcp.Select(l => l.StopAsync()));
    }

    private void Listen(Socket udp, Socket tcp)
    {
        var endPoint = (IPEndPoint)udp.LocalEndPoint!;
        _endPoints.Add(endPoint);
        var responder = new DnsResponder(_context, NewRandom(), caches: true);
        var datagrams = new DnsUdpListener(udp, _context, responder, _recursion, _logger);
        var streams = new DnsTcpListener(tcp, _context, _recursion, NewRandom, _logger);
        _udp.Add(datagrams);
        _tcp.Add(streams);
        datagrams.Start();
        streams.Start();
        Log.Listening(_logger, endPoint);
    }

    private static (Socket Udp, Socket Tcp) Bind(IPAddress address, int port)
    {
        for (int attempt = 1; ; attempt++)
        {
            Socket tcp = NewSocket(address, SocketType.Stream, ProtocolType.Tcp);
            Socket udp = NewSocket(address, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                // A connection that lingers from before a restart must not keep the port from us.
                tcp.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                tcp.Bind(new IPEndPoint(address, port));
                udp.ReceiveBufferSize = ReceiveBufferBytes;
                udp.Bind(new IPEndPoint(address, ((IPEndPoint)tcp.LocalEndPoint!).Port));
                tcp.Listen(Backlog);
                return (udp, tcp);
            }
            catch (SocketException) when (port == 0 && attempt < PortTriesMax)
            {
                tcp.Dispose();
                udp.Dispose();
            }
            catch (SocketException)
            {
                tcp.Dispose();
                udp.Dispose();
                throw;
            }
        }
    }

    private static Socket NewSocket(IPAddress address, SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(address.AddressFamily, type, protocol);
        if (address.Equals(IPAddress.IPv6Any))
        {
            socket.DualMode = true;
        }
        return socket;
    }

    private Random NewRandom()
    {
        lock (_randomGate)
        {
            return new Random(_random.Next());
        }
    }

    private static partial class Log
    {
        [LoggerMessage(5300, LogLevel.Information, "DNS: listening on {EndPoint} (UDP and TCP)")]
        public static partial void Listening(ILogger logger, IPEndPoint endPoint);
    }
}
