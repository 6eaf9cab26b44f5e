using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Integration.Proxy;

/// <summary>An application's connection.</summary>
internal sealed class TestWire : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly TcpClient _client;

    private TestWire(TcpClient client) => _client = client;

    public NetworkStream Stream => _client.GetStream();

    public static async Task<TestWire> OpenAsync(EndPoint at)
    {
        var client = new TcpClient(AddressFamily.InterNetwork) { NoDelay = true };
        await client.ConnectAsync((IPEndPoint)at);
        return new TestWire(client);
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

    public void EndSending() => _client.Client.Shutdown(SocketShutdown.Send);

    public void Dispose() => _client.Dispose();
}
