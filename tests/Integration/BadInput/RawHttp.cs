using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Integration.BadInput;

/// <summary>A client that sends what it likes, byte by byte.</summary>
internal sealed class RawHttp : IDisposable
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;

    private RawHttp(Socket socket)
    {
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
    }

    public static async Task<RawHttp> OpenAsync(int port, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), stop);
        return new RawHttp(socket);
    }

    /// <summary>One request on a connection of its own; gives the status and all of the answer.</summary>
    public static async Task<(int Status, string Text)> AskAsync(int port, string request, CancellationToken stop)
    {
        using var wire = await OpenAsync(port, stop);
        await wire.SendAsync(request, stop);
        return await wire.HearAsync(TimeSpan.FromSeconds(10), stop);
    }

    /// <summary>Whether the bytes were taken; false: the other side is gone.</summary>
    public async Task<bool> SendAsync(string text, CancellationToken stop)
    {
        try
        {
            await _stream.WriteAsync(Encoding.Latin1.GetBytes(text), stop);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>The first bytes of the answer; status 0 when there is none.</summary>
    public async Task<(int Status, string Text)> HearAsync(TimeSpan limit, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        end.CancelAfter(limit);
        var bytes = new byte[16 * 1024];
        var count = 0;
        try
        {
            // An answer comes in one or two pieces: head and body.
            while (!IsWhole(Encoding.Latin1.GetString(bytes, 0, count)))
            {
                var read = await _stream.ReadAsync(bytes.AsMemory(count), end.Token);
                if (read == 0)
                {
                    break;
                }

                count += read;
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            stop.ThrowIfCancellationRequested();
        }

        var text = Encoding.Latin1.GetString(bytes, 0, count);
        return (text.Length > 12 && int.TryParse(text[9..12], out var status) ? status : 0, text);
    }

    public void Dispose() => _stream.Dispose();

    private static bool IsWhole(string text)
    {
        var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (head < 0)
        {
            return false;
        }

        var length = text[..head].Split("\r\n")
            .Where(static line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
            .Select(static line => int.Parse(line[15..]))
            .FirstOrDefault();
        return text.Length >= head + 4 + length;
    }
}
