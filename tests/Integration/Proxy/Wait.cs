namespace Integration.Proxy;

/// <summary>Waits for something that has a name.</summary>
internal static class Wait
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    public static async Task UntilAsync(string what, Func<Task<bool>> isSo, double seconds = 20)
    {
        var end = TimeProvider.System.GetTimestamp() + (long)(seconds * TimeProvider.System.TimestampFrequency);
        while (!await isSo())
        {
            if (TimeProvider.System.GetTimestamp() > end)
            {
                throw new TimeoutException($"waited {seconds} s in vain until {what}");
            }

            await Task.Delay(Step, TimeProvider.System);
        }
    }

    public static Task UntilAsync(string what, Func<bool> isSo, double seconds = 20) =>
        UntilAsync(what, () => Task.FromResult(isSo()), seconds);
}
