using Praetor.Client;

namespace Praetor.CommandLine;

/// <summary>Turns what can go wrong between a command and its agent into a message that says what was being
/// done.</summary>
internal static class AgentCalls
{
    public static async Task<T> OrFail<T>(this Task<T> call, string doing)
    {
        try
        {
            return await call;
        }
        catch (Exception failure) when (IsOfAgent(failure))
        {
            throw Failed(failure, doing);
        }
    }

    public static async Task OrFail(this Task call, string doing)
    {
        try
        {
            await call;
        }
        catch (Exception failure) when (IsOfAgent(failure))
        {
            throw Failed(failure, doing);
        }
    }

    public static bool IsOfAgent(Exception failure) =>
        failure is ApiException or HttpRequestException or TimeoutException or IOException
            or System.Text.Json.JsonException;

    public static CommandException Failed(Exception failure, string doing) =>
        new($"{doing}: {failure.Message}") { Hint = HintFor(failure) };

    private static string? HintFor(Exception failure) => failure switch
    {
        ConnectionException => "is an agent running there? Start one with: praetor agent -dev, or name another with "
            + "-http-addr or PRAETOR_HTTP_ADDR",
        ApiException { Status: System.Net.HttpStatusCode.Forbidden } =>
            "give a token that may do this with -token, -token-file or PRAETOR_HTTP_TOKEN",
        _ => null,
    };
}
