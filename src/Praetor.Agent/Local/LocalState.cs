using Praetor.Agent.Checks;
using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>The one owner of what runs on this agent: edits one after another, readers hold snapshots.</summary>
/// <remarks>
/// An edit is visible at once; who asked for it is answered when it is durable. The order on disk is the order of the
/// edits, as both happen under one lock. Listeners are called outside of it.
/// </remarks>
/// <param name="database">Where it survives. Null: nowhere (<c>-dev</c>).</param>
/// <param name="time">For the expiry of what TTL checks were told.</param>
public sealed class LocalState(LocalDatabase? database, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly LocalDatabase? _database = database;
    private Task _durable = Task.CompletedTask;
    private LocalSnapshot _current = LocalSnapshot.Empty;

    /// <summary>Told, from any thread, what an edit changed; the new state is visible by then.</summary>
    public event Action<LocalChange>? Changed;

    /// <summary>The newest state.</summary>
    public LocalSnapshot Current => Volatile.Read(ref _current);

    /// <summary>Makes an edit, all of it or, when it returns a refusal, nothing.</summary>
    /// <param name="edit">Runs under the lock; must be short and must not call anything outside.</param>
    /// <returns>What the edit returned; null: it was made.</returns>
    public TRefusal? Edit<TRefusal>(Func<LocalEditor, TRefusal?> edit)
        where TRefusal : class => Edit(edit, out _);

    /// <summary>Makes an edit, all of it or, when it returns a refusal, nothing.</summary>
    /// <param name="edit">Runs under the lock; must be short and must not call anything outside.</param>
    /// <param name="durable">
    /// Ends when this edit is durable, whatever becomes of others; fails (<see cref="IOException"/>) when it was not
    /// written. The edit holds until the agent ends even then. Of an edit that changes nothing to be written: when the
    /// ones before it are durable, as it may rest on them.
    /// </param>
    /// <returns>What the edit returned; null: it was made.</returns>
    public TRefusal? Edit<TRefusal>(Func<LocalEditor, TRefusal?> edit, out Task durable)
        where TRefusal : class
    {
        LocalEditor editor;
        lock (_gate)
        {
            durable = _durable;
            editor = new LocalEditor(_current);
            if (edit(editor) is { } refusal)
            {
                return refusal;
            }

            if (editor.IsEmpty)
            {
                return null;
            }

            Volatile.Write(ref _current, editor.Now);
            if (editor.Documents.Count > 0 && _database is not null)
            {
                durable = _durable = _database.CommitAsync(editor.Documents);
            }
        }

        if (editor.HasChange)
        {
            Changed?.Invoke(editor.Change);
        }

        return null;
    }

    /// <summary>Makes an edit that cannot be refused.</summary>
    public void Edit(Action<LocalEditor> edit) => Edit(edit, out _);

    /// <summary>Makes an edit that cannot be refused; the task as of the other.</summary>
    public void Edit(Action<LocalEditor> edit, out Task durable) => Edit<string>(
        editor =>
        {
            edit(editor);
            return null;
        },
        out durable);

    /// <summary>Notes what a check found; a check that is not there any more is ignored.</summary>
    /// <param name="checkId">Of which check.</param>
    /// <param name="status">What it found.</param>
    /// <param name="output">What it says to it.</param>
    /// <param name="keepsOutput">False: the output is dropped (<c>discard_check_output</c>).</param>
    /// <returns>Ends when what is to survive of it is durable.</returns>
    public Task Report(string checkId, CheckStatus status, string output, bool keepsOutput)
    {
        Edit(editor => Report(editor, checkId, status, keepsOutput ? output : "", output), out var durable);
        return durable;
    }

    private void Report(LocalEditor editor, string checkId, CheckStatus status, string shown, string output)
    {
        if (!editor.Now.Checks.TryGetValue(checkId, out var check))
        {
            return;
        }

        var text = CheckStatusText.Of(status);
        editor.Report(check, text, shown);
        if (check.Spec is { Kind: CheckKind.Ttl } spec)
        {
            var expires = time.GetUtcNow() + spec.Ttl;
            editor.Remember(new TtlState(checkId, output, text, expires.ToUnixTimeSeconds()));
        }
    }

    /// <summary>Takes up what survived, before anything else happens.</summary>
    internal void Restore(LocalDocuments documents)
    {
        lock (_gate)
        {
            var editor = new LocalEditor(_current);
            foreach (var service in documents.Services)
            {
                editor.Put(service);
            }

            foreach (var check in documents.Checks)
            {
                // Until it has run again nobody knows; what TTL checks were told comes back by itself.
                editor.Put(check with { Record = check.Record with { Status = CheckStatuses.Critical, Output = "" } });
            }

            Volatile.Write(ref _current, editor.Now);
        }
    }
}
