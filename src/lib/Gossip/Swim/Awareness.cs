namespace Gossip.Swim;

/// <summary>How well this member seems to do itself: Lifeguard's local health. 0 is well.</summary>
/// <remarks>
/// A member that is starved of processor time or network sees everybody fail. It notices by its own failed probes, by
/// helpers who do not even report failure, and by having to refute; then it probes more slowly and waits longer.
/// </remarks>
internal sealed class Awareness(int multiplierMax)
{
    public int Score { get; private set; }

    public void Add(int delta) => Score = Math.Clamp(Score + delta, 0, multiplierMax - 1);

    public TimeSpan Scale(TimeSpan time) => time * (Score + 1);
}
