using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>
/// Turns a plan into the bytes of one answer: draws the order, keeps to the limits of transport and asker, and echoes
/// what has to be echoed. Allocates nothing but, rarely, a larger table of targets. Not for several threads.
/// </summary>
/// <remarks>
/// Limits are Consul's, so that the same number of records comes back: without EDNS three answers (a setting) of at
/// most 512 bytes counted uncompressed; with EDNS what fits in the announced size less seven bytes. Other than Consul
/// we also keep room for the OPT record, so that an answer is never larger than the asker can take.
/// </remarks>
internal sealed class AnswerEncoder(Random random, TimeProvider time)
{
    // Pointers reach 16 KiB, in which about 370 SRV targets fit: with so many slots none is forgotten.
    private const int CompressionSlots = 1024;
    private const int SpareBytes = 7;
    private const int TcpMessageBytes = 65523;
    private const int OptBytes = 11;
    private readonly byte[] _question = new byte[DnsLimits.NameBytesMax];
    private int[] _seenTargets = [];
    private int _round;

    /// <returns>The answer's length in <paramref name="reply"/>; 0 when the buffer is too small for anything.</returns>
    public int Encode(AnswerPlan plan, in DnsQuery query, DnsSettings settings, Span<byte> reply)
    {
        Span<ushort> table = stackalloc ushort[settings.Options.DisableCompression ? 0 : CompressionSlots];
        int opt = query.HasEdns ? OptBytes + query.ClientSubnet.Length : 0;
        int limit = query.IsTcp ? TcpMessageBytes : DatagramBytes(query, settings);
        var job = new Job(plan, settings, query, limit);
        var writer = new DnsMessageWriter(reply[..Math.Min(reply.Length, limit - opt)], table);
        query.Name.CopyTo(_question);
        writer.WriteQuestion(query.Name, query.Type, query.Class);
        if (writer.Overflowed)
        {
            return 0;
        }
        if (plan.IsService)
        {
            WriteService(ref writer, ref job);
        }
        else
        {
            WritePlain(ref writer, ref job);
        }
        return Close(reply, writer.Length, job, query);
    }

    /// <summary>An answer of a header and, when it could be read, the question.</summary>
    public static int EncodeBare(
        in DnsQuery query, DnsResponseCode code, DnsFlags flags, bool echoEdns, Span<byte> reply)
    {
        var writer = new DnsMessageWriter(reply, []);
        int questions = query.Name.IsEmpty ? 0 : 1;
        if (questions > 0)
        {
            writer.WriteQuestion(query.Name, query.Type, query.Class);
        }
        bool hasOpt = echoEdns && query.HasEdns;
        if (hasOpt)
        {
            writer.WriteOpt(query.EdnsSize, 0, []);
        }
        DnsFlags echoed = query.Header.Flags & (DnsFlags.RecursionDesired | DnsFlags.CheckingDisabled);
        writer.SetHeader(query.Header.Id, DnsFlags.Response | flags | echoed, code);
        writer.SetCounts(questions, 0, 0, hasOpt ? 1 : 0);
        return writer.Overflowed ? 0 : writer.Length;
    }

    /// <summary>The largest datagram that this asker may be sent.</summary>
    public static int DatagramBytes(in DnsQuery query, DnsSettings settings) =>
        Math.Min(
            Math.Max((int)query.EdnsSize, DnsLimits.PlainUdpBytes),
            query.Place == AskerPlace.Loopback ? settings.UdpReplyBytes : settings.RemoteUdpReplyBytes);

    private static int Close(Span<byte> reply, int length, in Job job, in DnsQuery query)
    {
        var flags = DnsFlags.Response | DnsFlags.Authoritative;
        flags |= job.Settings.CanRecurse ? DnsFlags.RecursionAvailable : DnsFlags.None;
        flags |= job.IsTruncated ? DnsFlags.Truncated : DnsFlags.None;
        if (query.Header.Opcode == DnsOpcode.Query)
        {
            flags |= query.Header.Flags & (DnsFlags.RecursionDesired | DnsFlags.CheckingDisabled);
        }
        int additionals = job.Additionals;
        var writer = DnsMessageWriter.Continue(reply, length);
        if (query.HasEdns)
        {
            Span<byte> subnet = stackalloc byte[query.ClientSubnet.Length];
            query.ClientSubnet.CopyTo(subnet);
            const int ScopeAt = 7;
            if (subnet.Length > ScopeAt)
            {
                // Scope 0: the answer is the same wherever the client is.
                subnet[ScopeAt] = 0;
            }
            writer.WriteOpt(query.EdnsSize, 0, subnet);
            additionals++;
        }
        writer.SetHeader(query.Header.Id, flags, job.Plan.Code);
        writer.SetCounts(1, job.Answers, job.Authorities, additionals);
        return writer.Overflowed ? 0 : writer.Length;
    }

    private void WritePlain(ref DnsMessageWriter writer, ref Job job)
    {
        bool isWhole = true;
        foreach (AnswerGroup group in job.Plan.Groups)
        {
            int written = WriteWhileFits(ref writer, job, group.Answers);
            job.Answers += written;
            isWhole = isWhole && written == group.Answers.Length;
        }
        if (isWhole)
        {
            job.Authorities = WriteWhileFits(ref writer, job, job.Plan.Authority);
            isWhole = job.Authorities == job.Plan.Authority.Length;
        }
        job.IsTruncated = !isWhole;
        job.Additionals = isWhole ? WriteWhileFits(ref writer, job, job.Plan.Additional) : 0;
    }

    private int WriteWhileFits(ref DnsMessageWriter writer, in Job job, DnsResource[] records)
    {
        for (int i = 0; i < records.Length; i++)
        {
            int mark = writer.Length;
            Write(ref writer, job, records[i]);
            if (writer.Overflowed)
            {
                writer.Rewind(mark);
                return i;
            }
        }
        return records.Length;
    }

    private void WriteService(ref DnsMessageWriter writer, ref Job job)
    {
        int shown = Math.Min(job.Plan.GroupsMax, job.Plan.Groups.Length);
        int total = job.Plan.AnswerCount;
        if (shown < job.Plan.Groups.Length)
        {
            total = 0;
            for (int i = 0; i < shown; i++)
            {
                total += GroupAt(ref job, i).Answers.Length;
            }
        }
        bool isPlain = !job.IsTcp && job.Limit == DnsLimits.PlainUdpBytes;
        bool isCut = isPlain && total > job.Settings.UdpAnswers;
        int mark = writer.Length;
        if (isCut || !TryWriteAll(ref writer, ref job, shown))
        {
            writer.Rewind(mark);
            int most = isCut ? job.Settings.UdpAnswers : total;
            bool countPlain = isCut || job.Settings.Options.DisableCompression;
            WriteSome(ref writer, ref job, shown, most, countPlain);
            job.IsTruncated = job.Answers < total && job.Settings.Options.EnableTruncate;
        }
        if (job.Answers == 0 && !job.IsTruncated)
        {
            Write(ref writer, job, job.Settings.Soa);
            job.Authorities = 1;
        }
    }

    private bool TryWriteAll(ref DnsMessageWriter writer, ref Job job, int shown)
    {
        for (int i = 0; i < shown && !writer.Overflowed; i++)
        {
            AnswerGroup group = GroupAt(ref job, i);
            foreach (DnsResource record in group.Answers)
            {
                Write(ref writer, job, record);
            }
            job.Answers += group.Answers.Length;
        }
        for (int i = 0; i < shown && !writer.Overflowed; i++)
        {
            foreach (DnsResource record in job.Plan.Groups[i].Extras)
            {
                Write(ref writer, job, record);
            }
            job.Additionals += job.Plan.Groups[i].Extras.Length;
        }
        return !writer.Overflowed && writer.Length <= job.Budget;
    }

    // Answers as long as they and the addresses of their targets stay within the budget, but at least one.
    private void WriteSome(ref DnsMessageWriter writer, ref Job job, int shown, int most, bool countPlain)
    {
        job.Answers = job.Additionals = 0;
        BeginTargets(job.Plan.TargetCount);
        int plainBytes = writer.Length;
        int extraBytes = 0;
        int kept = 0;
        bool isFull = most == 0;
        while (kept < shown && !isFull)
        {
            AnswerGroup group = GroupAt(ref job, kept++);
            // A target that stands too far behind for a pointer is written again in full.
            bool isPlain = countPlain || writer.Length >= DnsLimits.PointerEnd;
            extraBytes += IsNewTarget(group.TargetNumber) ? ExtraBytes(group, isPlain) : 0;
            foreach (DnsResource record in group.Answers)
            {
                int mark = writer.Length;
                Write(ref writer, job, record);
                plainBytes += record.PlainBytes(job.NameBytes);
                int used = extraBytes + (countPlain ? plainBytes : writer.Length);
                isFull = writer.Overflowed || job.Answers == most || (job.Answers > 0 && used > job.Budget);
                if (isFull)
                {
                    writer.Rewind(mark);
                    kept -= record == group.Answers[0] ? 1 : 0;
                    break;
                }
                job.Answers++;
            }
        }
        WriteKeyExtras(ref writer, ref job, kept);
    }

    private void WriteKeyExtras(ref DnsMessageWriter writer, ref Job job, int kept)
    {
        BeginTargets(job.Plan.TargetCount);
        for (int i = 0; i < kept; i++)
        {
            AnswerGroup group = job.Plan.Groups[i];
            if (group.KeyExtras.Length == 0 || !IsNewTarget(group.TargetNumber))
            {
                continue;
            }
            int written = WriteWhileFits(ref writer, job, group.KeyExtras);
            job.Additionals += written;
            if (written < group.KeyExtras.Length)
            {
                return;
            }
        }
    }

    private static int ExtraBytes(AnswerGroup group, bool countPlain)
    {
        int bytes = 0;
        foreach (DnsResource record in group.KeyExtras)
        {
            bytes += countPlain ? record.PlainBytes(0) : record.PointedBytes;
        }
        return bytes;
    }

    private void BeginTargets(int count)
    {
        if (_seenTargets.Length < count)
        {
            _seenTargets = new int[Math.Max(count, 2 * _seenTargets.Length)];
        }
        _round++;
    }

    private bool IsNewTarget(int number)
    {
        if (number < 0)
        {
            return true;
        }
        bool isNew = _seenTargets[number] != _round;
        _seenTargets[number] = _round;
        return isNew;
    }

    // Groups are drawn as they are needed, each by one step of a Fisher-Yates shuffle: whatever order the last
    // answer left behind, any order is as likely as any other.
    private AnswerGroup GroupAt(ref Job job, int at)
    {
        AnswerGroup[] groups = job.Plan.Groups;
        if (at >= job.Drawn)
        {
            int other = at + random.Next(groups.Length - at);
            (groups[at], groups[other]) = (groups[other], groups[at]);
            job.Drawn = at + 1;
        }
        return groups[at];
    }

    private void Write(ref DnsMessageWriter writer, in Job job, DnsResource record)
    {
        uint serial = record.Type == DnsType.Soa ? (uint)time.GetUtcNow().ToUnixTimeSeconds() : 0;
        record.Write(ref writer, _question.AsSpan(0, job.NameBytes), !job.Settings.Options.DisableCompression, serial);
    }

    /// <summary>One answer in the making.</summary>
    private struct Job
    {
        public readonly AnswerPlan Plan;
        public readonly DnsSettings Settings;
        public readonly int NameBytes;
        public readonly int Limit;
        public readonly bool IsTcp;
        public readonly int Budget;
        public int Answers;
        public int Authorities;
        public int Additionals;
        public int Drawn;
        public bool IsTruncated;

        public Job(AnswerPlan plan, DnsSettings settings, in DnsQuery query, int limit)
        {
            Plan = plan;
            Settings = settings;
            NameBytes = query.Name.Length;
            Limit = limit;
            IsTcp = query.IsTcp;
            Budget = IsTcp ? limit : limit - SpareBytes;
        }
    }
}
