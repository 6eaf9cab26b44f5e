using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Praetor.Proxy.Framing;
using Praetor.Proxy.Identity;
using Praetor.Proxy.Native;

namespace Praetor.Proxy.Net;

/// <summary>A leaf and the roots of the mesh, made ready for handshakes at either end.</summary>
/// <remarks>
/// No session is ever resumed: a resumed handshake would skip the chain check, and what it saves is saved better by
/// keeping connections (see <see cref="FrameType"/>). Sessions hold their own reference to the native context, so this
/// object may go while connections that it opened live on; it is freed by the finalizer, since loops may be
/// using it at any moment.
/// </remarks>
internal sealed unsafe class TlsContext : SafeHandle
{
    private const int ChainDepth = 8;

    // What a handshake prefers: ephemeral keys and AEAD only, AES-128 first as it is the cheapest with AES-NI.
    private const string Tls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
    private const string Tls13Suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
    private const string Groups = "X25519:P-256:P-384";

    private static readonly byte* AlpnList = MakeAlpnList(out AlpnLength);
    private static readonly uint AlpnLength;

    private TlsContext(nint context)
        : base(0, ownsHandle: true) => SetHandle(context);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Makes the context of an identity.</summary>
    /// <exception cref="CryptographicException">A certificate or key cannot be used.</exception>
    public static TlsContext Create(MeshIdentity identity)
    {
        OpenSsl.ClearErrors();
        var context = new TlsContext(OpenSsl.ContextNew(OpenSsl.TlsMethod()));
        if (context.IsInvalid)
        {
            throw new CryptographicException($"cannot make a TLS context: {OpenSsl.TakeError()}");
        }

        try
        {
            Configure(context.handle);
            UseLeaf(context.handle, identity);
            Trust(context.handle, identity.RootsPem);
            return context;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>A session on a descriptor; 0 when there is no memory for it.</summary>
    public nint NewSession(int fd, bool isServer, bool isOfferingFrames)
    {
        var ssl = OpenSsl.New(handle);
        GC.KeepAlive(this);
        if (ssl == 0)
        {
            return 0;
        }

        _ = OpenSsl.SetFd(ssl, fd);
        if (isServer)
        {
            OpenSsl.SetAcceptState(ssl);
        }
        else
        {
            OpenSsl.SetConnectState(ssl);
        }

        if (!isServer && isOfferingFrames)
        {
            _ = OpenSsl.SetAlpn(ssl, AlpnList, AlpnLength);
        }

        return ssl;
    }

    /// <summary>Whether both ends agreed on kept connections.</summary>
    public static bool IsFramed(nint ssl)
    {
        byte* name;
        uint length;
        OpenSsl.AlpnSelected(ssl, &name, &length);
        return new ReadOnlySpan<byte>(name, (int)length).SequenceEqual(FrameCodec.ProtocolName);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        OpenSsl.ContextFree(handle);
        return true;
    }

    private static void Configure(nint context)
    {
        const int mode = OpenSsl.ModePartialWrite | OpenSsl.ModeMovingWriteBuffer | OpenSsl.ModeReleaseBuffers;
        _ = OpenSsl.ContextControl(context, OpenSsl.ControlMode, mode, 0);
        _ = OpenSsl.ContextControl(context, OpenSsl.ControlReadAhead, 1, 0);
        _ = OpenSsl.ContextControl(context, OpenSsl.ControlSessionCacheMode, 0, 0);
        _ = OpenSsl.ContextControl(context, OpenSsl.ControlMinVersion, OpenSsl.Tls12, 0);
        _ = OpenSsl.ContextSetOptions(
            context,
            OpenSsl.OptionNoTicket | OpenSsl.OptionNoCompression
                | OpenSsl.OptionServerPreference | OpenSsl.OptionNoRenegotiation);
        Require(OpenSsl.ContextSetTickets(context, 0), "tickets");
        Require(OpenSsl.ContextSetCiphers(context, Tls12Ciphers), "TLS 1.2 ciphers");
        Require(OpenSsl.ContextSetSuites(context, Tls13Suites), "TLS 1.3 suites");
        var groups = Marshal.StringToCoTaskMemUTF8(Groups);
        Require((int)OpenSsl.ContextControl(context, OpenSsl.ControlGroupsList, 0, groups), "groups");
        Marshal.FreeCoTaskMem(groups);
        OpenSsl.ContextSetVerify(context, OpenSsl.VerifyPeer | OpenSsl.FailWithoutPeerCertificate, 0);
        OpenSsl.ContextSetVerifyDepth(context, ChainDepth);
        OpenSsl.ContextSetAlpnSelect(context, &SelectAlpn, 0);
    }

    private static void UseLeaf(nint context, MeshIdentity identity)
    {
        var certificates = ReadCertificates(identity.LeafPem);
        if (certificates.Count == 0)
        {
            throw new CryptographicException("the leaf certificate is not PEM");
        }

        Require(OpenSsl.ContextUseCertificate(context, certificates[0]), "leaf certificate");
        OpenSsl.FreeCertificate(certificates[0]);
        foreach (var intermediate in certificates.Skip(1))
        {
            // The context owns the certificate from here on.
            Require((int)OpenSsl.ContextControl(
                context, OpenSsl.ControlExtraChainCertificate, 0, intermediate), "intermediate certificate");
        }

        var key = ReadKey(identity.KeyPem);
        Require(OpenSsl.ContextUseKey(context, key), "leaf key");
        OpenSsl.FreeKey(key);
        Require(OpenSsl.ContextCheckKey(context), "leaf key does not belong to the leaf certificate");
    }

    private static void Trust(nint context, IReadOnlyList<string> roots)
    {
        var store = OpenSsl.ContextStore(context);
        foreach (var root in roots.SelectMany(ReadCertificates))
        {
            // The store takes a reference of its own and ignores a certificate it has.
            Require(OpenSsl.StoreAdd(store, root), "root certificate");
            OpenSsl.FreeCertificate(root);
        }
    }

    private static List<nint> ReadCertificates(string pem)
    {
        var found = new List<nint>();
        WithBio(pem, bio =>
        {
            nint next;
            while ((next = OpenSsl.ReadCertificate(bio, 0, 0, 0)) != 0)
            {
                found.Add(next);
            }

            return 0;
        });
        return found;
    }

    private static nint ReadKey(string pem)
    {
        var key = WithBio(pem, bio => OpenSsl.ReadKey(bio, 0, 0, 0));
        return key != 0 ? key : throw new CryptographicException("the leaf key is not PEM");
    }

    private static nint WithBio(string pem, Func<nint, nint> read)
    {
        var bytes = Encoding.ASCII.GetBytes(pem);
        fixed (byte* first = bytes)
        {
            var bio = OpenSsl.MemoryBio(first, bytes.Length);
            var result = read(bio);
            _ = OpenSsl.FreeBio(bio);
            OpenSsl.ClearErrors();
            CryptographicOperations.ZeroMemory(bytes);
            return result;
        }
    }

    private static void Require(int result, string what)
    {
        if (result <= 0)
        {
            throw new CryptographicException($"OpenSSL refused {what}: {OpenSsl.TakeError()}");
        }
    }

    private static byte* MakeAlpnList(out uint length)
    {
        var name = FrameCodec.ProtocolName;
        length = (uint)name.Length + 1;
        var list = (byte*)NativeMemory.Alloc(length);
        list[0] = (byte)name.Length;
        name.CopyTo(new Span<byte>(list + 1, name.Length));
        return list;
    }

    // Called by OpenSSL within a server's handshake. A client that offers only other protocols gets no answer, which
    // means plain mutual TLS.
    [UnmanagedCallersOnly]
    private static int SelectAlpn(
        nint ssl, byte** chosen, byte* length, byte* offered, uint offeredLength, nint argument)
    {
        var offers = new ReadOnlySpan<byte>(offered, (int)offeredLength);
        while (offers.Length > 0 && offers[0] < offers.Length)
        {
            if (offers.Slice(1, offers[0]).SequenceEqual(FrameCodec.ProtocolName))
            {
                *chosen = AlpnList + 1;
                *length = AlpnList[0];
                return OpenSsl.AlpnOk;
            }

            offers = offers[(offers[0] + 1)..];
        }

        return OpenSsl.AlpnNoAnswer;
    }
}
