"""Writes engine.json: what PyTorch itself computes, for the tests of Tensors and Execution.

    python3 engine.py > engine.json
"""
import json
import torch
import torch.nn.functional as F

torch.manual_seed(1)


def flat(tensor):
    return {"shape": list(tensor.shape), "values": [round(v, 7) for v in tensor.detach().double().flatten().tolist()]}


def losses():
    logits = torch.randn(5, 4)
    labels = torch.tensor([0, 3, 1, 1, 2])
    weights = torch.tensor([1.0, 3.0, 0.5, 0.0, 2.0])
    each = F.cross_entropy(logits, labels, reduction="none", label_smoothing=0.1)
    return {
        "logits": flat(logits), "labels": labels.tolist(), "weights": flat(weights),
        "plain": F.cross_entropy(logits, labels).item(),
        "weighted": ((each * weights).sum() / weights.sum()).item(),
    }


def sgd():
    start = torch.randn(3, 2, 2, 2)
    parameter = start.clone().requires_grad_()
    target = torch.randn(3, 2, 2, 2)
    optimiser = torch.optim.SGD([parameter], lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=7, cycle_momentum=False)
    rates = []
    for _ in range(7):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.zero_grad()
        ((parameter - target) ** 2 + parameter.sin()).sum().backward()
        optimiser.step()
        schedule.step()
    return {"start": flat(start), "target": flat(target), "rates": rates, "end": flat(parameter)}


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(4)
        self.conv2 = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.bn2 = torch.nn.BatchNorm2d(6)
        self.drop = torch.nn.Dropout(0.5)
        self.fc = torch.nn.Linear(24, 3)

    def forward(self, x):
        x = F.relu_(self.bn1(self.conv1(x)))
        x = F.elu_(self.bn2(self.conv2(x)))
        x = F.max_pool2d(x, 2)
        return self.fc(self.drop(x.flatten(1)))


def network():
    net = Net()
    for norm in (net.bn1, net.bn2):
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.normal_(norm.bias)
        torch.nn.init.normal_(norm.running_mean, std=0.2)
        torch.nn.init.uniform_(norm.running_var, 0.5, 2)
    state = {k: flat(v) for k, v in net.state_dict().items() if "tracked" not in k}
    images = torch.rand(5, 3, 8, 8)
    labels = torch.tensor([0, 2, 1, 1, 0])
    net.eval()
    x = images.clone().requires_grad_()
    logits = net(x)
    F.cross_entropy(logits, labels, reduction="sum").backward()
    case = {"weights": state, "images": flat(images), "labels": labels.tolist(), "logits": flat(logits),
            "input_gradient": flat(x.grad)}
    net.train()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    torch.manual_seed(7)
    case["losses"] = []
    for _ in range(3):
        optimiser.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimiser.step()
        case["losses"].append(loss.item())
    case["trained"] = {k: flat(v) for k, v in net.state_dict().items() if "tracked" not in k}
    net.eval()
    case["trained_logits"] = flat(net(images))
    return case


print(json.dumps({"losses": losses(), "sgd": sgd(), "network": network()}, separators=(",", ":")))
