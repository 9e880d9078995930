import Findings
import Foundation
import Support
import Testing
import WorkerProtocol

@testable import Workers

/// What is asked of Slurm and made of its words, without a cluster.
@Suite struct SlurmWordsTests {
    @Test(arguments: [
        "--reservation=burn", "--nice=100", "--nice", "--exclude=n[1-3]", "--exclusive", "--exclusive=user",
        "--gpus=1", "--mem-bind=local", "--spread-job", "--container-image=x",
    ])
    func argumentsBesidesTheServicesOwnAreTaken(text: String) {
        #expect(SlurmSettings.fault(ofArgument: text) == nil)
    }

    @Test(arguments: [
        // What the service sets itself, in full or in part.
        ("--output=/tmp/x", "--output"), ("--export=ALL", "--export"), ("--exp=ALL", "--export"),
        ("--job-name=other", "--job-name"), ("--ntasks=2", "--ntasks"), ("--time=1", "--time"),
        ("--time-min=1", "--time-min"), ("--mem-per-gpu=1G", "--mem-per-gpu"),
        ("--pack-group=1", "--pack-group"),
        ("--het-group=1", "--het-group"), ("--cluster-constraint=x", "--cluster-constraint"),
        ("--x11", "--x11"),
        // What others would write into the pipes, or change about the worker.
        ("--task-prolog=/x", "--task-prolog"), ("--task-epilog=/x", "--task-epilog"),
        ("--prolog=/x", "--prolog"),
        ("--prol=/x", "--prolog"), ("--epilog=/x", "--epilog"), ("--open-mode=append", "--open-mode"),
        ("--signal=USR1@60", "--signal"), ("--container=/x", "--container"), ("--LABEL", "--label"),
        // A value that is missing would be the next argument.
        ("--reservation", "needs a value"), ("--reservation=", "needs a value"),
        ("--reserv", "needs a value"),
        ("--nodelist", "needs a value"), ("--contiguous=1", "takes no value"),
        // What is no option.
        ("-p main", "form"), ("main", "form"), ("--", "form"), ("--=x", "form"),
        ("--x\n--export=ALL", "form"),
        ("--reservation=a\u{7}", "form"), ("--a b=c", "form"),
    ])
    func otherArgumentsAreRefusedAndSaidWhy(text: String, reason: String) {
        let fault = SlurmSettings.fault(ofArgument: text)
        #expect(fault?.contains(reason) == true, "\(fault ?? "taken")")
    }

    @Test(arguments: [
        ("main", true), ("gpu:a100:2", true), ("a&b|c", true), ("", false), ("--x", false), ("a b", false),
    ])
    func namesAreOneWord(text: String, isTaken: Bool) { #expect(SlurmSettings.isName(text) == isTaken) }

    @Test func everySettingReachesSrun() {
        var settings = SlurmSettings()
        settings.partition = "main"
        settings.account = "lab"
        settings.qos = "normal"
        settings.gres = "gpu:1"
        settings.constraint = "avx512"
        settings.processors = 8
        settings.arguments = ["--nice=3", "--other"]
        #expect(
            settings.options(settings.request(.init(memoryBytes: 3 << 30, minutes: 90))) == [
                // What the last of the further ones might swallow comes again.
                "--nice=3", "--other", "--quiet", "--partition=main", "--account=lab", "--qos=normal",
                "--gres=gpu:1", "--constraint=avx512",
                "--ntasks=1", "--nodes=1", "--cpus-per-task=8", "--mem=3072M", "--time=90",
            ])
    }

    /// A job asks for what it is expected to take, within what it may have, and for all of that where nothing is expected.
    @Test func aJobAsksForWhatItIsExpectedToTake() throws {
        var settings = SlurmSettings()
        settings.processors = 8
        let set = DatasetSummary(
            format: "zip", samples: 1_000, height: 32, width: 32, channels: 3, classes: [], skipped: [],
            skippedTotal: 0, packedBytes: 1)
        let model = ModelSummary(
            format: "pt2", inputShape: [nil, 3, 32, 32], inputType: "float32", classes: 10, parameters: 1_000,
            operators: [:])
        var analysis = WorkerTask.Analyse(
            type: .scan, model: "/m", dataset: "/d", evaluation: nil, options: JobOptions())
        var task = WorkerTask(kind: .analyse(analysis), outputDirectory: "/o")
        #expect(settings.request(for: task) == settings.request(settings.job))
        task.estimate = JobEstimate(
            .scan, JobOptions(), model: model,
            pass: PassCost(height: 32, width: 32, activationBytes: 1 << 16, seconds: 1e-4), dataset: set)
        let estimate = try #require(task.estimate)
        let asked = settings.request(for: task)
        #expect(asked.memoryBytes == estimate.memoryBytes(threads: 8) && asked.memoryBytes < 2 << 30)
        #expect(asked.minutes == 15 && asked.processors == 8)
        analysis.options.threads = 2
        task.kind = .analyse(analysis)
        #expect(settings.request(for: task).processors == 2)
        // Within the limits.
        settings.job = .init(memoryBytes: 1 << 30, minutes: 10)
        #expect(settings.request(for: task).memoryBytes == 1 << 30)
        #expect(settings.request(for: task).minutes == 10)
        task.estimate = nil
        #expect(settings.request(for: task).processors == 2)
        settings.sizing = .fixed
        #expect(settings.request(for: task) == settings.request(settings.job))
        // What is read of an upload has a size of its own.
        task.kind = .probeModel(.init(model: "/m"))
        #expect(settings.request(for: task) == settings.request(settings.importing))
    }

    @Test func aLineOfTheQueueIsRead() throws {
        let entry = try #require(SlurmQueue.Entry("17|PENDING|Resources||burn-1-a|b-1"))
        #expect(entry.id == 17 && entry.name == "burn-1-a|b-1" && !entry.hasEnded)
        #expect(entry.placement == WorkerPlacement(job: 17, state: .pending, reason: "Resources"))
        let running = try #require(SlurmQueue.Entry("18|RUNNING|None|n1|x"))
        #expect(running.placement == WorkerPlacement(job: 18, state: .running, node: "n1"))
        #expect(SlurmQueue.Entry("18|TIMEOUT|TimeLimit|n1|x")?.hasEnded == true)
        for line in ["", "x", "a|RUNNING|None|n1|x", "18|RUNNING"] {
            #expect(SlurmQueue.Entry(line[...]) == nil)
        }
    }

    /// Each end has a cause, and a remedy.
    @Test(arguments: [
        ("TIMEOUT|TimeLimit", "slurm-time-limit", WorkerLoss.Remedy.report),
        ("OUT_OF_MEMORY|OutOfMemory", "slurm-memory-limit", .report),
        ("NODE_FAIL|None", "slurm-node-failed", .retry),
        ("BOOT_FAIL|None", "slurm-node-failed", .retry), ("PREEMPTED|None", "slurm-preempted", .wait),
        ("CANCELLED|None", "slurm-cancelled", .report), ("RUNNING|None", "slurm-srun-ended", .retry),
        ("PENDING|Resources", "slurm-srun-ended", .retry),
        ("FAILED|JobLaunchFailure", "slurm-srun-ended", .retry),
    ])
    func anEndIsNamed(fields: String, code: String, remedy: WorkerLoss.Remedy) throws {
        let entry = try #require(SlurmQueue.Entry("5|\(fields)|n1|x"))
        let exit = SlurmRun.exit(of: entry, status: .exited(1), minutes: 60, memoryBytes: 1 << 30, words: "")
        guard case .lost(let loss) = exit else {
            Issue.record("\(String(describing: exit))")
            return
        }
        #expect(loss.problem.code == code && loss.remedy == remedy)
        // Only what is to be tried again is a fault of the service's.
        #expect((loss.problem.category == .internal) == (remedy != .report))
    }

    /// As a node without control groups does it.
    @Test func aStepThatANodeKillsForItsMemoryIsNoFaultOfSrun() throws {
        let entry = try #require(SlurmQueue.Entry("5|FAILED|JobLaunchFailure|n1|x"))
        let words = """
            slurmstepd-n1: error: StepId=22.0 exceeded memory limit (144994304 > 104857600), being killed
            slurmstepd-n1: error: *** STEP 22.0 ON n1 CANCELLED AT 2026-11-29T16:07:01 ***
            srun: error: n1: task 0: Killed
            """
        let exit = SlurmRun.exit(of: entry, status: .exited(137), minutes: 1, memoryBytes: 1, words: words)
        #expect(exit?.problem?.code == "slurm-memory-limit")
    }

    @Test func aCrashOnANodeIsOneLikeHere() throws {
        let entry = try #require(SlurmQueue.Entry("5|FAILED|NonZeroExitCode|n1|x"))
        let crash = SlurmRun.exit(of: entry, status: .exited(139), minutes: 1, memoryBytes: 1, words: "last")
        guard case .crashed(SIGSEGV, "last") = crash else {
            Issue.record("\(String(describing: crash))")
            return
        }
        #expect(SlurmRun.exit(of: entry, status: .exited(7), minutes: 1, memoryBytes: 1, words: "") == nil)
    }

    @Test(arguments: [
        ("srun: error: Unable to allocate resources: Invalid partition name specified", "slurm.partition"),
        (
            "srun: error: Unable to allocate resources: Invalid account or account/partition combination",
            "slurm.account"
        ),
        ("srun: error: Unable to allocate resources: Invalid qos specification", "slurm.qos"),
        (
            "srun: error: Unable to allocate resources: Requested time limit is invalid (missing or exceeds some limit)",
            "slurm.job_minutes"
        ),
    ])
    func aRefusalNamesItsSetting(words: String, setting: String) {
        let problem = SlurmRefusal.problem(words: words)
        #expect(problem.code == "slurm-refused" && problem.location == setting && problem.fix != nil)
    }

    @Test func aControllerThatIsAwayIsNoRefusal() {
        let words =
            "srun: error: Unable to allocate resources: Unable to contact slurm controller (connect failure)"
        #expect(SlurmRefusal.problem(words: words).code == "slurm-unavailable")
    }

    @Test func theNameStaysWithItsFolderAndNotWithACopy() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "burn-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/a", withIntermediateDirectories: true)
        let name = try SlurmInstance.name(in: folder + "/a")
        #expect(try SlurmInstance.name(in: folder + "/a") == name && name.count == 12)
        try FileManager.default.moveItem(atPath: folder + "/a", toPath: folder + "/b")
        #expect(try SlurmInstance.name(in: folder + "/b") == name)
        try FileManager.default.copyItem(atPath: folder + "/b", toPath: folder + "/c")
        #expect(try SlurmInstance.name(in: folder + "/c") != name)
    }
}
