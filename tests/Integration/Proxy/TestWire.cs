using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Integration.Proxy;

/// <summary>An application's connection.</summary>
internal sealed class TestWire : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly Socket _socket;

    private TestWire(Socket socket)
    {
        _socket = socket;
        Stream = new NetworkStream(socket, ownsSocket: true);
    }

    public NetworkStream Stream { get; }

    public static async Task<TestWire> OpenAsync(EndPoint at)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(at);
        return new TestWire(socket);
    }

    /// <summary>Whether a fresh connection is ended or broken without a byte.</summary>
    public static async Task<bool> IsRefusedAsync(EndPoint at)
    {
        try
        {
            using var wire = await OpenAsync(at);
            return await wire.IsEndedAsync();
        }
        catch (SocketException)
        {
            return true;
        }
    }

    /// <summary>Sends a text and reads back as much.</summary>
    public async Task<string> SayAsync(string text)
    {
        using var limit = new CancellationTokenSource(Limit);
        var bytes = Encoding.ASCII.GetBytes(text);
        await Stream.WriteAsync(bytes, limit.Token);
        return await HearAsync(bytes.Length);
    }

    /// <summary>Reads so many bytes; fewer when the other side ends.</summary>
    public async Task<string> HearAsync(int length)
    {
        using var limit = new CancellationTokenSource(Limit);
        var bytes = new byte[length];
        var count = await Stream.ReadAtLeastAsync(bytes, length, throwOnEndOfStream: false, limit.Token);
        return Encoding.ASCII.GetString(bytes, 0, count);
    }

    /// <summary>Whether the other side ends or breaks the connection without another byte.</summary>
    public async Task<bool> IsEndedAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            return await Stream.ReadAsync(new byte[1], limit.Token) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    public void Dispose() => Stream.Dispose();
}
