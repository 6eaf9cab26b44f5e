namespace Praetor.Client.Wire;

/// <summary>The way of requests to an agent and of answers back.</summary>
internal interface IWire : IDisposable
{
    /// <summary>Asks, and gives the answer, whatever its status; the caller disposes it.</summary>
    /// <exception cref="HttpRequestException">It could not be asked, or its answer is none.</exception>
    /// <exception cref="IOException">The same, or the answer broke off.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The same.</exception>
    ValueTask<WireAnswer> SendAsync(WireRequest request, CancellationToken stop);
}

/// <summary>A request.</summary>
/// <param name="Target">Path and parameters, as they are sent.</param>
/// <param name="Headers">Beside those that every request has, and those of the body.</param>
/// <param name="KeepsThread">Whether the thread may be kept until the answer is there.</param>
internal sealed record WireRequest(
    HttpMethod Method, string Target, List<KeyValuePair<string, string>> Headers, HttpContent? Body, bool KeepsThread);
