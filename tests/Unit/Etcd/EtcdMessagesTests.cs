using System.Text;
using Codecs.Protobuf;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Xunit;

namespace Unit.Etcd;

/// <summary>The messages as etcd's rpc.proto has them.</summary>
public sealed class EtcdMessagesTests
{
    private const int Mutations = 20_000;

    [Fact]
    public void A_transaction_is_written_as_etcd_reads_it()
    {
        var txn = new EtcdTxn(
            [new EtcdCompare(Of("a"), 300)],
            [new EtcdPut(Of("k"), Of("v")), new EtcdDelete(Of("d"), Of("e"))],
            [new EtcdRange(Of("a"), null), new EtcdRange(Of("b"), Of("c"))]);
        var request = EtcdRequest.Of(txn, (int)EtcdRequest.SizeOf(txn));
        Convert.ToHexString(request.Bytes.Span).ShouldBe(
            "000000002F"
            + "0A08" + "1002" + "1A0161" + "30AC02"
            + "1208" + "1206" + "0A016B" + "120176"
            + "1208" + "1A06" + "0A0164" + "120165"
            + "1A05" + "0A03" + "0A0161"
            + "1A08" + "0A06" + "0A0162" + "120163");
        request.Release();
    }

    [Fact]
    public void A_transaction_of_a_megabyte_has_the_size_that_was_foretold()
    {
        var txn = new EtcdTxn([], [new EtcdPut(Of("k"), new byte[1 << 20])], []);
        var request = EtcdRequest.Of(txn, (int)EtcdRequest.SizeOf(txn));
        request.Bytes.Length.ShouldBe(request.Length);
        request.Bytes.Span[^(1 << 20)..].ContainsAnyExcept((byte)0).ShouldBeFalse();
        var reader = new ProtobufReader(request.Bytes.Span[GrpcFrame.HeaderBytes..]);
        reader.Next().ShouldBeTrue();
        reader.Next().ShouldBeFalse();
        reader.IsMalformed.ShouldBeFalse();
    }

    [Fact]
    public void A_watch_a_learner_and_plain_numbers_are_written_as_etcd_reads_them()
    {
        Convert.ToHexString(EtcdRequest.Watch(Of("a"), Of("b"), 7).Bytes.Span)
            .ShouldBe("000000000C" + "0A0A" + "0A0161" + "120162" + "1807" + "4001");
        Convert.ToHexString(EtcdRequest.AddLearner("u").Bytes.Span).ShouldBe("0000000005" + "0A0175" + "1001");
        Convert.ToHexString(EtcdRequest.Numbers(2, 300, 1).Bytes.Span)
            .ShouldBe("0000000007" + "0802" + "10AC02" + "1801");
    }

    [Fact]
    public void An_answer_to_a_transaction_is_read()
    {
        EtcdAnswers.TryReadTxn(TxnAnswer(), out var answer).ShouldBeTrue();
        (answer.Succeeded, answer.Revision, answer.Answers.Count).ShouldBe((true, 9, 2));
        answer.Answers[0].Rows.ShouldBeEmpty();
        var row = answer.Answers[1].Rows.ShouldHaveSingleItem();
        (Text(row.Key), Text(row.Value), row.ModRevision).ShouldBe(("key", "value", 8));
    }

    [Fact]
    public void Bytes_that_anybody_may_have_sent_never_throw()
    {
        var random = new Random(1);
        var sound = TxnAnswer();
        for (var i = 0; i < Mutations; i++)
        {
            var bytes = sound.AsSpan(0, random.Next(sound.Length + 1)).ToArray();
            for (var flips = random.Next(1, 4); flips > 0 && bytes.Length > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            EtcdAnswers.TryReadTxn(bytes, out _);
            EtcdAnswers.TryReadStatus(bytes, out _);
            EtcdAnswers.TryReadMembers(bytes, out _);
            EtcdAnswers.TryReadMembersWithoutSpace(bytes, out _);
            EtcdAnswers.TryReadWatch(bytes, out _);
        }
    }

    [Fact]
    public void An_answer_that_is_cut_off_inside_of_a_row_is_malformed()
    {
        var sound = TxnAnswer();
        EtcdAnswers.TryReadTxn(sound.AsSpan(0, sound.Length - 3), out _).ShouldBeFalse();
    }

    // { header { member_id: 5 revision: 9 } succeeded: true responses { put } responses { range { kv more } } }
    private static byte[] TxnAnswer() => Convert.FromHexString(
        "0A04" + "1005" + "1809" + "1001" + "1A02" + "1200"
        + "1A16" + "0A14" + "1210" + "0A036B6579" + "1807" + "1808" + "2A0576616C7565" + "1801");

    private static byte[] Of(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
