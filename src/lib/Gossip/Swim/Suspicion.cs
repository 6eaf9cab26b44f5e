namespace Gossip.Swim;

/// <summary>The time that a suspect still has. It shrinks with each other member that suspects it too.</summary>
/// <remarks>
/// One accuser may be the one who is ill, so alone it waits long; several who agree from different places are believed
/// soon. The first confirmation takes off most: the time falls with the logarithm of their number.
/// </remarks>
internal sealed class Suspicion : Deadline
{
    private readonly TimeSpan _start;
    private readonly TimeSpan _min;
    private readonly TimeSpan _max;
    private readonly int _wanted;
    private readonly List<string> _accusers = [];

    /// <param name="wanted">How many confirmations bring the time down to the shortest; 0: it is the shortest at
    /// once.</param>
    public Suspicion(string member, string accuser, int wanted, TimeSpan min, TimeSpan max, TimeSpan now)
    {
        Member = member;
        _accusers.Add(accuser);
        (_wanted, _min, _max, _start) = (wanted, min, max, now);
    }

    public string Member { get; }

    /// <summary>How often the suspect was asked for its last word.</summary>
    public int Asks { get; set; }

    public int Confirmations => _accusers.Count - 1;

    public bool IsShortOfConfirmations => Confirmations < _wanted;

    /// <summary>When the suspect is declared dead. In the past when a confirmation comes late.</summary>
    public TimeSpan Ends
    {
        get
        {
            if (_wanted < 1)
            {
                return _start + _min;
            }
            var share = Math.Log(Confirmations + 1) / Math.Log(_wanted + 1);
            var timeout = TimeSpan.FromMilliseconds(Math.Floor((_max - (share * (_max - _min))).TotalMilliseconds));
            return _start + (timeout < _min ? _min : timeout);
        }
    }

    /// <summary>Notes another accuser. False: it is known already, or enough are.</summary>
    public bool Confirm(string accuser)
    {
        if (!IsShortOfConfirmations || _accusers.Contains(accuser))
        {
            return false;
        }
        _accusers.Add(accuser);
        return true;
    }
}
