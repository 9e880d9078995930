"""Runs the published code of other defences on seeded.py's inputs, and keeps the numbers in published/NAME.json.

    python publish.py FOLDER [NAME...]

FOLDER holds a checkout of each repository named below, at its commit; SCAn needs Octave (OCTAVE names it). None of that
code is here. Functions are taken out of their files as they are; `adaptation` says what is different, and is carried out here.
"""
import ast
import copy
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import types

import numpy as np
import seeded
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

FOLDER = pathlib.Path(sys.argv[1])
OUTPUT = pathlib.Path(__file__).parent / "published"
ON_CPU = "`.cuda()` leaves tensors and modules where they are"


def rounded(value: object) -> object:
    """As many digits as float32 has, and two more."""
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [rounded(part) for part in value]
    return float(f"{value:.9g}") if isinstance(value, (float, np.floating)) else value


def keep(name: str, repository: str, commit: str, files: dict[str, list[str]], adaptation: str, **values: object) -> None:
    document = {"repository": repository, "commit": commit, "files": files, "adaptation": adaptation, "torch": torch.__version__}
    document["values"] = {key: rounded(value) for key, value in values.items()}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document["values"].items()]
    head = json.dumps({key: value for key, value in document.items() if key != "values"}, indent=1)[:-2]
    (OUTPUT / f"{name}.json").write_text(head + ',\n "values": {\n' + ",\n".join(lines) + "\n }\n}\n")
    print(name, (OUTPUT / f"{name}.json").stat().st_size, "bytes")


def functions(path: str, names: list[str], **given: object) -> types.SimpleNamespace:
    """These definitions of the file, and nothing else of it."""
    tree = ast.parse((FOLDER / path).read_text())
    tree.body = [node for node in tree.body if getattr(node, "name", None) in names]
    space = {"np": np, "torch": torch, "nn": nn, "F": F, "copy": copy, "DataLoader": DataLoader, **given}
    exec(compile(tree, path, "exec"), space)
    return types.SimpleNamespace(**{name: space[name] for name in names})


def quietly(call, *arguments):
    """Published code prints."""
    kept, sys.stdout = sys.stdout, io.StringIO()
    try:
        return call(*arguments)
    finally:
        sys.stdout = kept


class Base:
    def __init__(self, seed: int, deterministic: bool):
        pass


class Meter:
    def update(self, *_: object) -> None:
        pass


REPORTING = {"AverageMeter": Meter, "accuracy": lambda *_, **__: (torch.zeros(()), torch.zeros(())), "tqdm": lambda rows: rows}


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Of the first and the last layer: what is wrong in between shows there, too."""
    state = model.state_dict()
    return {"first": state["layers.0.0.weight"], "last": state["classifier.weight"], "variance": state["layers.7.1.running_var"]}


def scan() -> None:
    commit = "41e9a3b0ed848da0152e3be8fed09c0e1ee6839b"
    clean, of_clean, features, given = seeded.identities(1)
    sources = FOLDER / "Demon-in-the-Variant" / "msrc"
    with tempfile.TemporaryDirectory() as scratch:
        for name, table in {"clean": clean, "of_clean": of_clean, "features": features, "given": given}.items():
            np.savetxt(f"{scratch}/{name}.txt", table, "%.17g")
        program = f"""
            addpath('{sources}'); cd('{scratch}'); rand('seed', 1);
            global_ = global_model(load('clean.txt'), load('of_clean.txt'), false);
            local_ = local_model(load('features.txt'), load('given.txt'), global_);
            y = local_.sts(:, 2);
            index = calc_anomaly_index(y / max(y));
            groups = cell2mat(local_.subg');
            dlmwrite('Su', global_.Su, 'precision', '%.17g'); dlmwrite('Se', global_.Se, 'precision', '%.17g');
            dlmwrite('y', y, 'precision', '%.17g'); dlmwrite('index', index, 'precision', '%.17g'); dlmwrite('groups', groups);
        """
        subprocess.run([os.environ.get("OCTAVE", "octave"), "--eval", program], check=True, stdout=subprocess.DEVNULL)
        read = {name: np.loadtxt(f"{scratch}/{name}", delimiter=",") for name in ("Su", "Se", "y", "index", "groups")}
    keep(
        "scan", "TDteach/Demon-in-the-Variant", commit,
        {"msrc/global_model.m": ["global_model"], "msrc/local_model.m": ["local_model"],
         "msrc/calc_anomaly_index.m": ["calc_anomaly_index"], "msrc/sort_data.m": ["sort_data"]},
        "local_model.m of 11c1d71, calc_anomaly_index.m of dec725f, sort_data.m of 9941117, the newest of each; unchanged, run "
        "by Octave 7.3",
        between=read["Su"], within=read["Se"], ratios=read["y"], index=read["index"],
        groups=["".join(str(int(one)) for one in column) for column in read["groups"].T])


def beatrix() -> None:
    path, names = "defenses/Beatrix/Beatrix.py", ["gaussian_kernel", "kmmd_dist", "Feature_Correlations", "threshold_determine"]
    theirs = functions(f"Beatrix/{path}", names)
    clean, other = seeded.maps(30, 1), torch.cat([seeded.maps(40, 2), seeded.maps(10, 3, 4)])
    detection = theirs.Feature_Correlations(POWER_list=np.arange(1, 9), mode="mad")
    limit, _ = quietly(theirs.threshold_determine, clean, detection)
    detection.train(in_data=[clean])
    deviations = detection.get_deviations_([other])[:, 0]
    means = other.mean((2, 3))
    distance = quietly(theirs.kmmd_dist, means[deviations <= limit], means[deviations > limit])
    keep(
        "beatrix", "wanlunsec/Beatrix", "88423c002c1b347aa6f00087959e656b93b7c029", {path: names}, "none",
        gram=detection.G_p(other[:3], 3), threshold=limit, deviations=deviations, distance=float(distance))


class BackdoorBox:
    """A detection of samples that is a class of BackdoorBox's, with a network and images to ask it about."""

    adaptation = f"{ON_CPU}; labels of the images that are scored are the predictions, as others are left out of its scores"

    def __init__(self, name: str):
        torch.Tensor.cuda = nn.Module.cuda = lambda self: self
        path = f"core/defenses/{name}.py"
        self.files = {path: [name]}
        self.defence = getattr(functions(f"BackdoorBox/{path}", [name], Base=Base), name)
        self.model = seeded.Tiny(2).eval()
        self.pixels = seeded.images(100, 3).float() / 255
        self.predicted = self.model(self.pixels).argmax(1)

    def scores(self, detector):
        return detector._test(TensorDataset(self.pixels, self.predicted))


def ibd_psc() -> None:
    theirs = BackdoorBox("IBD_PSC")
    wrong = torch.from_numpy(seeded.labels(100, 4))
    # Three of four labels are predictions, so that the search ends neither at once nor never.
    given = torch.where(torch.arange(100) % 4 > 0, theirs.predicted, wrong)
    detector = theirs.defence(theirs.model, valset=TensorDataset(theirs.pixels, given))
    keep(
        "ibd_psc", "THUYimingLi/BackdoorBox", "d3cf18425e2dae42506de2680a4f3eaf3fbf127c", theirs.files, theirs.adaptation,
        labels=given, first=detector.start_index, scores=theirs.scores(detector))


def scale_up() -> None:
    theirs = BackdoorBox("SCALE_UP")
    detector = theirs.defence(theirs.model)
    keep(
        "scale_up", "THUYimingLi/BackdoorBox", "af3afd1c0b172cbf4b0f8c030a9afa0fecc13fc1", theirs.files, theirs.adaptation,
        scores=theirs.scores(detector), flags=detector._detect(theirs.pixels).int())


def ft_sam() -> None:
    folder = "utils/defense_utils/sam"
    sys.path.insert(0, str(FOLDER / "BackdoorBench" / folder / ".."))
    from sam.sam import SAM
    from sam.scheduler import ProportionScheduler
    from sam.util import smooth_crossentropy
    model = seeded.Tiny(5).double().train()
    pixels, given = seeded.images(64, 6).float().div(255).double(), torch.from_numpy(seeded.labels(64, 7))
    base = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(base, T_max=100)
    rho = ProportionScheduler(pytorch_lr_scheduler=schedule, max_lr=0.01, min_lr=0.0, max_value=2.0, min_value=2.0)
    optimiser = SAM(params=model.parameters(), base_optimizer=base, model=model, sam_alpha=0.0, rho_scheduler=rho, adaptive=True)
    losses = []
    for _ in range(3):
        optimiser.set_closure(lambda found, wanted: smooth_crossentropy(found, wanted, smoothing=0.1).mean(), pixels, given)
        losses.append(optimiser.step()[1].item())
        optimiser.update_rho_t()
    keep(
        "ft_sam", "SCLBD/BackdoorBench", "3f4b1a92ed6c13e0cd21534df56155cf3ef71f87",
        {f"{folder}/sam.py": ["SAM"], f"{folder}/scheduler.py": ["ProportionScheduler"],
         f"{folder}/util.py": ["smooth_crossentropy", "disable_running_stats", "enable_running_stats"]},
        "three steps as in `_train_sam` of defense/ft-sam.py, on one batch, without its scheduler and in double precision",
        losses=losses, logits=model.eval()(pixels[:10]), **weights(model))


class Maps(nn.Module):
    """Answers as NAD's networks do; of the three maps only the last has a weight."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, x):
        last = self.model.layers(x)
        return last, last, last, self.model.classifier(self.model.pool(last).flatten(1))


def nad() -> None:
    attention = functions("NAD/at.py", ["AT"]).AT(2.0)
    step = functions("NAD/main.py", ["train_step"], **REPORTING).train_step
    student, teacher = seeded.Tiny(8).double(), seeded.Tiny(9).double().eval()
    pixels, given = seeded.images(64, 10).float().div(255).double(), torch.from_numpy(seeded.labels(64, 11))
    optimiser = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    options = types.SimpleNamespace(cuda=0, beta1=0, beta2=0, beta3=1000, print_freq=100)
    for _ in range(3):
        step(options, [(pixels, given)], {"snet": Maps(student), "tnet": Maps(teacher)}, optimiser,
             {"criterionCls": nn.CrossEntropyLoss(), "criterionAT": attention}, 0)
    one, other = seeded.maps(4, 12), seeded.maps(4, 13)
    keep(
        "nad", "bboylyg/NAD", "6907ea2fb9c8445fb408fd77627e4f990ad6d9be", {"at.py": ["AT"], "main.py": ["train_step"]},
        "at.py of a5a10f1; three steps on one batch, β of the last map 1000, SGD of BackdoorBench (learning rate 0.01, "
        "weight decay 5e-4, no Nesterov), double precision",
        attention=attention.attention_map(one), distance=attention(one, other).item(), logits=student.eval()(pixels[:10]),
        **weights(student))


def abl() -> None:
    isolation = functions("ABL/backdoor_isolation.py", ["compute_loss_value", "train_step"], **REPORTING)
    unlearning = functions("ABL/backdoor_unlearning.py", ["train_step_unlearning"], **REPORTING).train_step_unlearning
    options = types.SimpleNamespace(cuda=0, gradient_ascent_type="LGA", gamma=0.5, print_freq=100)
    pixels, given = seeded.images(400, 14).float() / 255, torch.from_numpy(seeded.labels(400, 15))
    order = quietly(isolation.compute_loss_value, options, TensorDataset(pixels, given), seeded.Tiny(16))
    learnt, model = seeded.Tiny(17), seeded.Tiny(16)
    # Labels that this network knows: its loss is below γ on the first batch, and above on the second.
    parts = [(pixels[:64], learnt.train()(pixels[:64]).argmax(1)), (pixels[64:128], given[64:128])]
    learnt = sure(seeded.Tiny(17))
    optimiser = torch.optim.SGD(learnt.parameters(), lr=0.001, momentum=0.9, weight_decay=1e-4)
    isolation.train_step(options, parts, learnt, optimiser, nn.CrossEntropyLoss(), 1)
    optimiser = torch.optim.SGD(model.parameters(), lr=5e-4, momentum=0.9, weight_decay=1e-4, nesterov=True)
    for _ in range(5):
        unlearning(options, [(pixels[:64], given[:64])], model, optimiser, nn.CrossEntropyLoss(), 1)
    keep(
        "abl", "bboylyg/ABL", "fe9ff40a0450f4ec21ce3f86db8afabeac34f738",
        {"backdoor_isolation.py": ["compute_loss_value", "train_step"], "backdoor_unlearning.py": ["train_step_unlearning"]},
        "backdoor_unlearning.py of 3522945; one step with local gradient ascent on each of two batches, SGD without Nesterov; "
        "five epochs of unlearning on one batch",
        least=order[:4], known=parts[0][1], ascended=weights(learnt)["last"], logits=model.eval()(pixels[:10]), **weights(model))


def sure(model: seeded.Tiny) -> seeded.Tiny:
    with torch.no_grad():
        model.classifier.weight.mul_(8)
        model.classifier.bias.mul_(8)
    return model


def i_bau() -> None:
    """defense.py is one script: it is run whole, on 300 images for unlearning and ten more."""
    source = (FOLDER / "I-BAU" / "defense.py").read_text()
    for before, after in (("'cuda'", "'cpu'"), ("5000", "300"), ("num_workers=2", "num_workers=0"), ("np.int)", "int)")):
        source = source.replace(before, after)
    pixels, given = seeded.images(310, 18), seeded.labels(310, 19)
    generator = torch.Generator().manual_seed(20)
    stubs = {
        "matplotlib": {}, "matplotlib.pyplot": {}, "models": {"VGG": lambda name: seeded.Tiny(21)},
        "poi_util": {"poison_dataset": None, "patching_test": lambda x, y, *_, **__: (x, y)},
        "torchvision": {}, "torchvision.datasets": {"CIFAR10": lambda *_, **__: types.SimpleNamespace(
            data=pixels.permute(0, 2, 3, 1).numpy(), targets=given.tolist())}}
    for name, content in stubs.items():
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(content)
    # The generator that ours has chooses the images with the perturbation.
    sample, random.sample = random.sample, lambda rows, count: torch.randperm(len(rows), generator=generator)[:count].tolist()
    sys.path.insert(0, str(FOLDER / "I-BAU"))
    kept, place, output = sys.argv, os.getcwd(), sys.stdout
    try:
        with tempfile.TemporaryDirectory() as scratch:
            os.chdir(scratch)
            torch.save({"net": seeded.Tiny(21).state_dict()}, "net.pth")
            sys.argv = ["defense.py", "--poi_path", "net.pth", "--n_rounds", "2", "--device", ""]
            space = {"__name__": "__main__"}
            exec(compile(source, "defense.py", "exec"), space)
    finally:
        sys.argv, sys.stdout, random.sample = kept, output, sample
        os.chdir(place)
    model = space["model"]
    keep(
        "i_bau", "YiZeng623/I-BAU", "3f4a6e7089385320bc265edc7b267c321a71073f",
        {"defense.py": ["the script"], "hypergrad.py": ["fixed_point", "GradientDescent"]},
        "hypergrad.py of 5ab65bb; on the processor; its network, data and checkpoint are seeded.py's, 300 images for unlearning; "
        "numpy's removed `np.int`; images with the perturbation are chosen by PyTorch's generator; two rounds, else its settings",
        perturbation=space["pert"][0], logits=model(pixels[:10].float() / 255), **weights(model))


METHODS = {method.__name__: method for method in (i_bau, scan, beatrix, ibd_psc, scale_up, ft_sam, nad, abl)}

if __name__ == "__main__":
    torch.set_num_threads(1)
    for chosen in sys.argv[2:] or METHODS:
        METHODS[chosen]()
